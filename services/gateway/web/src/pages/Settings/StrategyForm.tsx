import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { useRefresh } from "@/api/shared";
import { changes } from "@/changes";
import { fieldErrors, NumberField, SelectField, SwitchField, TagsField, wrong } from "@/components/fields";
import { useClosing } from "@/components/FormDialog";
import { Loaded, Problem } from "@/components/Loaded";
import { told } from "@/components/toasts";
import { plain } from "@/decimals";
import { sentence } from "@/format";
import { nameOf } from "./Strategies";

type Strategy = Schemas["StrategyView"];
type Kind = Schemas["StrategyKindView"];
type Body = Schemas["StrategyBody"];

const INTERVALS = ["1m", "5m", "15m", "30m", "1h", "4h", "1d"];
const MEANINGS: Record<string, string> = {
  fast: "Bars of the faster average.",
  slow: "Bars of the slower average.",
  signal: "Bars of the signal line.",
  period: "How many bars it looks back.",
  low: "Below this it buys.",
  high: "Above this it sells.",
  width: "Width of the band, in standard deviations.",
  factor: "How many times the usual volume a breakout needs.",
};

interface Values extends Record<string, unknown> {
  strategy: string;
  symbols: string[];
  interval: string;
  active: boolean;
  parameters: Record<string, string>;
}

/** Everything; of the parameters only those of this kind that are not left empty. */
function bodyOf(values: Values, kind: Kind | undefined): Body {
  const names = Object.keys(kind?.parameters ?? {});
  const given = names.map((name) => [name, plain(values.parameters[name] ?? "")]).filter(([, value]) => value !== "");
  return { symbols: values.symbols, interval: values.interval, active: values.active, parameters: Object.fromEntries(given) as Record<string, string> };
}

/** What is sent: all of a new strategy; of a stored one what was changed. */
function strategyBody(values: Values, initial: Values, kind: Kind | undefined, id: string | undefined): Body {
  if (!id) return { strategy: values.strategy, ...bodyOf(values, kind) };
  return { id, ...changes(bodyOf(initial, kind), bodyOf(values, kind)) };
}

export function StrategyForm({ strategy, onDone }: { strategy: Strategy | undefined; onDone: () => void }) {
  const kinds = useQuery({ queryKey: ["strategies", "kinds"], queryFn: () => must(api.GET("/api/strategies/kinds")) });
  return (
    <Loaded query={kinds} height={260} empty="The strategies' service has not said yet which there are. It may be starting; try again in a moment.">
      {({ items }) => <Fields strategy={strategy} kinds={items} onDone={onDone} />}
    </Loaded>
  );
}

function Fields({ strategy, kinds, onDone }: { strategy: Strategy | undefined; kinds: readonly Kind[]; onDone: () => void }) {
  const known = (name: string) => kinds.find((kind) => kind.id === name.replaceAll("_", "-"));
  const first = strategy?.strategy.replaceAll("_", "-") ?? kinds[0]?.id ?? "";
  const [initial] = useState<Values>(() => ({
    strategy: first,
    symbols: [...(strategy?.symbols ?? [])],
    interval: strategy?.interval ?? "1m",
    active: strategy?.active ?? true,
    parameters: Object.fromEntries(kinds.flatMap((kind) => Object.keys(kind.parameters)).map((name) => [name, strategy?.parameters[name] ?? ""])),
  }));
  const form = useForm<Values>({
    mode: "uncontrolled",
    initialValues: initial,
    validate: {
      symbols: (value) => (value.length ? null : "It watches at least one symbol."),
      parameters: Object.fromEntries(Object.keys(MEANINGS).map((name) => [name, (value?: string) => (value ? wrong({ label: "", tip: "" }, value) : null)])),
    },
  });
  const [chosen, setChosen] = useState(first);
  form.watch("strategy", ({ value }) => setChosen(value));
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: (values: Values) => must(api.POST("/api/strategies", { body: strategyBody(values, initial, known(values.strategy), strategy?.id) })),
    onSuccess: async (saved) => {
      told(`Strategy ${saved.id} is saved; it warms up now.`);
      await refresh("strategies");
      onDone();
    },
    onError: (error) => form.setErrors(fieldErrors(error, (field) => field.replace(/^symbols\..*/, "symbols"))),
  });
  useClosing(() => (save.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  const parameters = Object.entries(known(chosen)?.parameters ?? {});
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <Stack gap="md">
        <div className="fields">
          <SelectField form={form} path="strategy" label="Strategy" data={kinds.map((kind) => ({ value: kind.id, label: nameOf(kind.id) }))} disabled={strategy !== undefined} />
          <SelectField form={form} path="interval" label="Bars" data={[...new Set([...INTERVALS, initial.interval])]} />
        </div>
        <TagsField form={form} path="symbols" label="Symbols" placeholder="AAPL, then Enter" />
        <div className="fields">
          {parameters.map(([name, standard]) => (
            <NumberField key={name} form={form} path={`parameters.${name}`} spec={{ label: sentence(name), tip: MEANINGS[name] ?? "A parameter of this strategy.", none: standard }} />
          ))}
        </div>
        <Text size="sm" c="dimmed">A field that is left empty takes the number that stands in it.</Text>
        <SwitchField form={form} path="active" label="Switched on" />
        {save.error && <Problem error={save.error} what="The strategy is not saved" />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone} disabled={save.isPending}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {strategy ? "Save" : "Create the strategy"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

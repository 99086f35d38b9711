import { Anchor, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, must, type Schemas } from "@/api/client";
import { useBudgets, useMay } from "@/api/shared";
import { BudgetBar } from "@/components/BudgetBar";
import { fieldErrors, NumberField, sentAs, type Spec, wrong } from "@/components/fields";
import { Loaded, Problem } from "@/components/Loaded";
import { told } from "@/components/toasts";
import { State, Time } from "@/components/Values";
import { useBudgetAlerts, useConfigs } from "../queries";

/** Every budget as it stands, the limit of all together, and what was said at 50, 80 and 100 %. */
export function Budgets() {
  const configs = useConfigs().data?.items;
  return (
    <Loaded query={useBudgets()} height={240}>
      {({ items }) => {
        const scopes = [...new Set(items.map((line) => line.scope))].filter((scope) => scope !== "total");
        const total = items.filter((line) => line.scope === "total");
        return (
          <div className="budgets">
            <Stack gap="md">
              <Title order={3}>All models together</Title>
              {total.map((line) => <BudgetBar key={line.period} line={line} />)}
              <Limits key={total.map((line) => line.limit_usd).join()} lines={total} />
            </Stack>
            {scopes.map((scope) => (
              <Stack gap="md" key={scope}>
                <Title order={3}>
                  <Anchor inherit component={Link} to={`/ai-trading/configuration?config=${encodeURIComponent(scope)}`}>{configs?.find((one) => one.id === scope)?.name ?? scope}</Anchor>
                </Title>
                {items.filter((line) => line.scope === scope).map((line) => <BudgetBar key={line.period} line={line} />)}
              </Stack>
            ))}
            <Alerts />
          </div>
        );
      }}
    </Loaded>
  );
}

const NO_LIMIT = "No limit";
const FIELDS = {
  day_usd: { label: "A day, USD", none: NO_LIMIT },
  month_usd: { label: "A month, USD", none: NO_LIMIT },
} satisfies Record<string, Spec>;
type Totals = Record<keyof typeof FIELDS, string>;

function problemsOf(values: Totals): Record<string, string> {
  const found = (Object.keys(FIELDS) as (keyof Totals)[]).map((name) => [name, wrong(FIELDS[name], values[name])]);
  return Object.fromEntries(found.filter(([, message]) => message)) as Record<string, string>;
}

function Limits({ lines }: { lines: readonly Schemas["BudgetLine"][] }) {
  const may = useMay("admin");
  const client = useQueryClient();
  const given = (period: string) => lines.find((line) => line.period === period)?.limit_usd ?? "";
  const form = useForm<Totals>({ mode: "uncontrolled", initialValues: { day_usd: given("day"), month_usd: given("month") }, validate: problemsOf });
  const save = useMutation({
    mutationFn: ({ day_usd: day, month_usd: month }: Totals) =>
      must(api.PUT("/api/ai-trading/budgets/total", { body: { day_usd: sentAs(FIELDS.day_usd, day), month_usd: sentAs(FIELDS.month_usd, month) } })),
    onSuccess: async () => {
      told("The limit of all models together is changed.");
      await client.invalidateQueries({ queryKey: ["llm-budgets"] });
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} aria-label="Limit of all models together" noValidate>
      <Group gap="sm" align="flex-end">
        {(Object.keys(FIELDS) as (keyof Totals)[]).map((name) => (
          <NumberField key={name} form={form} path={name} spec={FIELDS[name]} size="xs" w={100} disabled={!may} />
        ))}
        <Button size="xs" type="submit" loading={save.isPending} disabled={!may}>Set limits</Button>
      </Group>
      <Text size="xs" c="dimmed" mt={4}>Empty sets no limit, 0 allows no call.</Text>
      {save.error && <Problem error={save.error} what="The limits were not changed" />}
    </form>
  );
}

const SHOWN = 6;

function Alerts() {
  const alerts = useBudgetAlerts().data?.slice(0, SHOWN);
  return (
    <Stack gap="sm" component="section" aria-label="Budget alerts" className="all-columns">
      <Title order={3}>Alerts at 50, 80 and 100 %</Title>
      {alerts?.length === 0 && <Text size="sm" c="dimmed">No budget has reached 50 %.</Text>}
      {alerts?.map((alert) => (
        <div key={alert.id}>
          <Group gap="sm">
            <State state={alert.severity} title={alert.code} />
            <Text size="xs" c="dimmed"><Time at={alert.at} /></Text>
          </Group>
          <Text size="sm">{alert.message}</Text>
        </div>
      ))}
    </Stack>
  );
}

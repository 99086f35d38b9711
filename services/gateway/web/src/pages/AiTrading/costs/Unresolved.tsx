import { Button, Group, List, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { Facts } from "@/components/Facts";
import { fieldErrors, NumberField, sentAs, type Spec, wrong } from "@/components/fields";
import { FormDialog, useClosing } from "@/components/FormDialog";
import { Empty, Loaded, Problem } from "@/components/Loaded";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { told } from "@/components/toasts";
import { Time } from "@/components/Values";
import * as f from "@/format";

type Attempt = Schemas["UnresolvedView"];
const COST: Spec = { label: "Cost in US dollars" };

const COLUMNS: readonly Column<Attempt>[] = [
  { id: "at", header: "Begun", tip: "When the call began.", width: "124px", cell: (one) => <Time at={one.at} /> },
  { id: "config", header: "Config", tip: "The configuration that asked.", width: "minmax(120px, 1fr)", cell: (one) => one.config_id },
  { id: "model", header: "Model", tip: "Provider and model that were asked.", width: "minmax(130px, 1fr)", cell: (one) => `${one.provider}, ${one.model}` },
  { id: "symbols", header: "Symbols", width: "minmax(90px, 1fr)", cell: (one) => Object.keys(one.decisions).join(", ") },
  { id: "error", header: "What happened", tip: "Why nobody knows what it cost.", width: "minmax(200px, 3fr)", cell: (one) => <span title={one.error ?? ""}>{one.error || f.words(one.outcome) || "the answer never came"}</span> },
  { id: "reserved", header: "Set aside", tip: "The call's worst case, which counts as long as nobody knows.", width: "92px", right: true, cell: (one) => f.cost(one.reserved_usd) },
];

/** Calls whose cost nobody knows, and where to enter it. */
export function Unresolved() {
  const [chosen, setChosen] = useState<Attempt | null>(null);
  const query = useQuery({
    queryKey: ["llm-budgets", "unresolved"],
    queryFn: () => must(api.GET("/api/ai-trading/attempts", { params: { query: { limit: 200 } } })),
  });
  return (
    <>
      <Loaded query={query} height={120}>
        {({ items, next_cursor: more }) =>
          items.length === 0 ? (
            <Empty height={120}>Every call has a known cost. One that breaks off appears here and counts with its worst case until it is settled.</Empty>
          ) : (
            <Stack gap="sm">
              <Text size="sm">
                Look the call up on the provider's usage page by time and model, then choose it here and enter what it cost.
                {more && " These are the first 200; others come when some of them are settled."}
              </Text>
              <SimpleTable label="Unresolved calls" rows={items} columns={COLUMNS} idOf={(one) => one.attempt_id} onOpen={setChosen} rowLabel={(one) => `Settle the call of ${one.config_id}`} height={280} />
            </Stack>
          )
        }
      </Loaded>
      <FormDialog opened={chosen !== null} onClose={() => setChosen(null)} title="What did this call cost?">
        {chosen && <Settle attempt={chosen} onDone={() => setChosen(null)} />}
      </FormDialog>
    </>
  );
}

function Settle({ attempt, onDone }: { attempt: Attempt; onDone: () => void }) {
  const form = useForm({ mode: "uncontrolled", initialValues: { cost_usd: "" }, validate: { cost_usd: (text) => wrong(COST, text) } });
  const refresh = useRefresh();
  const may = useMay("admin");
  const save = useMutation({
    mutationFn: (cost: string) =>
      once(`settle ${attempt.attempt_id}`, (key) =>
        must(
          api.POST("/api/ai-trading/attempts/{attempt_id}/settle", {
            params: { path: { attempt_id: attempt.attempt_id }, header: { "idempotency-key": key } },
            body: { cost_usd: cost },
          }),
        ),
      ),
    onSuccess: async (settled) => {
      told(`The call counts with ${f.cost(settled.cost_usd)} now; the rest is free again.`);
      onDone();
      await refresh("llm-budgets", "llm-costs", "llm-decisions", "chain");
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  useClosing(() => (save.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  return (
    <form onSubmit={form.onSubmit(({ cost_usd: cost }) => save.mutate(sentAs(COST, cost) ?? ""))} noValidate>
      <Stack gap="md">
        <Facts
          items={[
            ["Begun", f.utc(attempt.at)],
            ["Provider and model", `${attempt.provider}, ${attempt.model}`],
            ["Provider's id", attempt.request_id],
            ["Set aside", f.cost(attempt.reserved_usd)],
          ]}
        />
        <List size="sm" type="ordered">
          <List.Item>Open the usage page of {attempt.provider === "claude" ? "Anthropic's console" : "your provider"}.</List.Item>
          <List.Item>Find the call by its time (UTC), model or id. If it is not there, it was not billed: enter 0.</List.Item>
          <List.Item>Enter its cost. The budget takes it in place of what is set aside; this cannot be taken back.</List.Item>
        </List>
        <NumberField form={form} path="cost_usd" spec={COST} required data-autofocus />
        {save.error && <Problem error={save.error} what="It was not settled" />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={!may}>Settle</Button>
        </Group>
      </Stack>
    </form>
  );
}

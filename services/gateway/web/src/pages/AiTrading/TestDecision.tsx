import { Alert, Badge, Button, Card, Group, List, Select, Stack, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { Link } from "react-router";
import { api, must, refused, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { Facts } from "@/components/Facts";
import { useFilters } from "@/components/filters";
import { Empty, Loaded, Problem } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { State } from "@/components/Values";
import * as f from "@/format";
import { Answer } from "./decisions/columns";
import { useOpenDecision } from "./decisions/open";
import { Plain } from "./decisions/Plain";
import { type Config, type Decision, useConfigs } from "./queries";
import { ADVICE, ERROR_ADVICE, TERMS } from "./terms";

/** Asks a model once, for real, and trades nothing. */
export function TestDecision() {
  return (
    <Loaded query={useConfigs()} height={320}>
      {({ items }) => {
        const ready = items.filter((one) => one.todo === "");
        return ready.length > 0 ? (
          <Asking configs={ready} />
        ) : (
          <Empty height={320} action={<Button component={Link} to="/ai-trading/configuration?config=new">Add a model</Button>}>
            No config is complete. A test needs a provider's key, a model and a symbol.
          </Empty>
        );
      }}
    </Loaded>
  );
}

function Asking({ configs }: { configs: readonly Config[] }) {
  const [filters, setFilter] = useFilters("config", "symbol");
  const config = configs.find((one) => one.id === filters.config) ?? configs[0];
  const symbol = config?.symbols.find((one) => one === filters.symbol) ?? config?.symbols[0];
  if (!config || !symbol) return null;
  return (
    <div className="grid">
      <Panel title="Ask a model once" tip={TERMS.dryRun} className="half" actions={<Badge color="grape">Never traded</Badge>}>
        <Stack gap="md">
          <Group gap="sm" align="flex-end">
            <Select
              label="Config"
              className="grows"
              data={configs.map((one) => ({ value: one.id, label: one.name }))}
              value={config.id}
              onChange={(id) => setFilter("config", id)}
              allowDeselect={false}
            />
            <Select label="Symbol" w={130} data={config.symbols} value={symbol} onChange={(one) => setFilter("symbol", one)} allowDeselect={false} searchable />
          </Group>
          <Ask key={`${config.id} ${symbol}`} config={config} symbol={symbol} />
        </Stack>
      </Panel>
      <Panel title="What it would be shown now" tip="The config's prompt, filled from the market as it is. Looking at it costs nothing." className="half">
        <Snapshot config={config} symbol={symbol} />
      </Panel>
    </div>
  );
}

function Ask({ config, symbol }: { config: Config; symbol: string }) {
  const may = useMay("trader");
  const refresh = useRefresh();
  const ask = useMutation({
    mutationFn: () =>
      once(`test ${config.id} ${symbol}`, (key) =>
        must(
          api.POST("/api/ai-trading/decision", {
            params: { header: { "idempotency-key": key }, query: { wait_s: 20 } },
            body: { config_id: config.id, symbols: [symbol], dry_run: true },
          }),
        ),
      ),
    onSuccess: () => refresh("llm-decisions", "llm-costs", "llm-budgets", "llm-status"),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <form onSubmit={submit} aria-label="Test decision">
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          The question goes to {config.target === "sandbox" ? "the sandbox, which plays the provider" : "the provider and is billed"}; its cost counts
          against the config's budget. The answer is recorded as a test and never becomes a signal.
        </Text>
        <Group>
          <Button type="submit" loading={ask.isPending} disabled={!may}>Ask about {symbol}</Button>
        </Group>
        {ask.isPending && <Text size="sm" role="status">Waiting for the answer…</Text>}
        {ask.error && <Problem error={ask.error} what={refused(ask.error) ? "It was not asked" : "It may have been asked. Try again: it is asked once"} retry={() => ask.mutate()} />}
        {ask.data && <Result asked={ask.data} />}
      </Stack>
    </form>
  );
}

function Result({ asked }: { asked: Schemas["AskedView"] }) {
  const { open } = useOpenDecision();
  const late = Object.entries(asked.pending);
  return (
    <Stack gap="md" role="status" aria-label="Result">
      {asked.items.map((one) => <One key={one.id} decision={one} onOpen={() => open(one.id)} />)}
      {late.map(([symbol, id]) => (
        <Alert key={id} role="note" color="blue" variant="light" title={`${symbol} is still being thought about`}>
          <Text size="sm" mb="sm">The answer will stand among the decisions.</Text>
          <Button size="xs" variant="default" onClick={() => open(id)}>Look for it</Button>
        </Alert>
      ))}
    </Stack>
  );
}

function One({ decision, onOpen }: { decision: Decision; onOpen: () => void }) {
  const advice = ERROR_ADVICE[decision.error_kind] ?? ADVICE[decision.outcome];
  return (
    <Card>
      <Group justify="space-between" mb="sm" gap="sm">
        <Group gap="sm">
          <Answer decision={decision} /> <strong>{decision.symbol}</strong>
          <State state="never traded" />
        </Group>
        <Button size="xs" variant="default" onClick={onOpen}>All of it</Button>
      </Group>
      {decision.reasoning && <Text size="sm" className="reasoning" mb="sm">{decision.reasoning}</Text>}
      {decision.error && <Text size="sm" className="plain" mb="sm">{decision.error}</Text>}
      {decision.outcome !== "answered" && advice && <Text size="sm" c="dimmed" mb="sm">{advice}</Text>}
      <Facts
        items={[
          ["Confidence", decision.confidence && f.share(decision.confidence)],
          ["Horizon", decision.horizon_s === null ? null : f.span(decision.horizon_s)],
          ["Stop", decision.stop_price && f.price(decision.stop_price)],
          ["Target price", decision.target_price && f.price(decision.target_price)],
          ["Cost", f.cost(decision.cost_usd)],
          ["Took", f.took(decision.latency_ms)],
          ["Tokens", `${f.count(decision.tokens_in)} in, ${f.count(decision.tokens_out)} out`],
          ["Prompt", decision.prompt_version],
        ]}
      />
    </Card>
  );
}

const AGAIN_MS = 5000;

function Snapshot({ config, symbol }: { config: Config; symbol: string }) {
  const may = useMay("trader");
  const query = useQuery({
    queryKey: ["prompt-preview", config.id, config.prompt_template, symbol],
    queryFn: () =>
      must(api.POST("/api/ai-trading/prompts/preview", { body: { prompt_id: config.prompt_template, config_id: config.id, symbols: [symbol] } })),
    enabled: may,
    refetchInterval: AGAIN_MS,
    retry: false,
  });
  if (!may) return <Empty height={200}>Only a trader may look at what would be sent.</Empty>;
  return (
    <Loaded query={query} height={320}>
      {(shown) => (
        <Stack gap="sm">
          <Facts
            items={[
              ["Size", shown.tokens_estimated == null ? null : `about ${f.count(shown.tokens_estimated)} tokens`],
              ["Likely cost", f.cost(shown.cost_usd_estimated)],
              ["At most, set aside", f.cost(shown.cost_usd_worst)],
            ]}
          />
          {(shown.warnings?.length ?? 0) > 0 && (
            <List size="sm" className="warn">{shown.warnings?.map((one) => <List.Item key={one}>{one}</List.Item>)}</List>
          )}
          <Plain label="The market, as the prompt shows it">{shown.user}</Plain>
        </Stack>
      )}
    </Loaded>
  );
}

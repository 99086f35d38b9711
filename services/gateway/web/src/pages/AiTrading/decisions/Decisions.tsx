import { api, must, type Schemas } from "@/api/client";
import { DataTable } from "@/components/DataTable";
import { DateFilters, spanOf } from "@/components/DateFilter";
import { FilterBar, FilterSelect, FilterText, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { sentence } from "@/format";
import { useConfigs } from "../queries";
import { OUTCOMES, TERMS } from "../terms";
import { COLUMNS, rowLabel } from "./columns";
import { useOpenDecision } from "./open";

const ACTIONS = ["buy", "sell", "close", "hold"];
const NAMES = ["symbol", "action", "outcome", "config", "model", "prompt", "test", "q", "from", "to"] as const;
type Filters = Partial<Record<(typeof NAMES)[number], string>>;

/** The filters as the interface takes them; the last day counts whole. */
export function queryOf(filters: Filters) {
  const { test, from, to, symbol, action, outcome, ...words } = filters;
  return {
    ...words,
    symbol: symbol?.toUpperCase(),
    action: ACTIONS.includes(action ?? "") ? (action as Schemas["Action"]) : undefined,
    outcome: OUTCOMES.find((one) => one === outcome),
    dry_run: test === "yes" ? true : test === "no" ? false : undefined,
    ...spanOf(from, to),
  };
}

const load = (params: ReturnType<typeof queryOf>, cursor?: string, limit?: number) =>
  must(api.GET("/api/ai-trading/decision", { params: { query: { ...params, cursor, limit } } }));

/** Every answer, refusal and failure, newest first, as they come. */
export function Decisions() {
  const [filters, setFilter] = useFilters(...NAMES);
  const { open } = useOpenDecision();
  const configs = useConfigs().data?.items;
  const text = (name: keyof Filters, label: string, width?: number) => (
    <FilterText label={label} value={filters[name]} onChange={(value) => setFilter(name, value)} width={width} />
  );
  const choice = (name: keyof Filters, label: string, data: readonly (string | { value: string; label: string })[]) => (
    <FilterSelect label={label} value={filters[name]} onChange={(value) => setFilter(name, value)} data={data} width={130} />
  );
  return (
    <Panel title="Decisions" tip={TERMS.decision}>
      <DataTable
        label="Decisions"
        topic="llm-decisions"
        params={queryOf(filters)}
        load={load}
        columns={COLUMNS}
        onOpen={(one) => open(one.id)}
        rowLabel={rowLabel}
        csv="/api/ai-trading/decisions.csv"
        none="No model has been asked yet. Make a test decision, or wait until an active config's bars have closed."
        empty="No decision fits these filters. Take one away to see more."
        filters={
          <FilterBar>
            {text("q", "Search reasoning", 180)}
            {text("symbol", "Symbol", 100)}
            {choice("action", "Action", ACTIONS.map((one) => ({ value: one, label: sentence(one) })))}
            {choice("outcome", "Outcome", OUTCOMES.map((one) => ({ value: one, label: sentence(one) })))}
            {choice("config", "Config", configs?.map((one) => one.id) ?? [])}
            {choice("test", "Tests", [{ value: "no", label: "Without tests" }, { value: "yes", label: "Tests only" }])}
            {text("prompt", "Prompt version", 120)}
            <DateFilters filters={filters} set={setFilter} />
          </FilterBar>
        }
      />
    </Panel>
  );
}

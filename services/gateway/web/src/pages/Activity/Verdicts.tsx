import type { ReactNode } from "react";
import { adviceOn } from "@/advice";
import { api, must, type Schemas } from "@/api/client";
import { useChain } from "@/components/ChainDialog";
import { type Column, DataTable } from "@/components/DataTable";
import { DateFilters } from "@/components/DateFilter";
import { FilterBar, FilterSelect, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { Action, Source, State, Time } from "@/components/Values";
import { TERM } from "@/terms";
import { BotFilter, choices, common, type Filters, SourceFilters } from "./lists";
import { DeniedOrders } from "./Orders";
import { Pending } from "./Pending";

type Verdict = Schemas["VerdictView"];

const DENIED = "denied";
const OUTCOMES = [
  ...choices(["accepted", "pending", "suppressed", "refused", "declined", "lapsed"]),
  { value: DENIED, label: "Denied by a limit" },
];

const COLUMNS: Column<Verdict>[] = [
  { id: "at", header: "Reached at", tip: "When the router judged, in market time.", cell: (row) => <Time at={row.evaluated_at} />, width: "112px" },
  {
    id: "outcome",
    header: "Outcome",
    cell: (row) => <State state={row.outcome} />,
    width: "98px",
    tip: "Accepted goes on to an order; pending waits for a person; suppressed: another source leads; refused: a check said no.",
  },
  { id: "signal", header: "Signal", tip: TERM.says, cell: (row) => <><Action action={row.action} /> {row.symbol}</>, width: "94px" },
  { id: "bot", header: "Bot", tip: TERM.bot, cell: (row) => <span title={row.bot}>{row.bot}</span>, width: "88px" },
  { id: "why", header: "Why", tip: "The reason of the verdict, in words.", cell: (row) => <span title={row.explanation}>{row.explanation}</span>, width: "minmax(344px, 2fr)" },
  { id: "source", header: "Source", tip: TERM.source, cell: (row) => <Source type={row.source_type} id={row.source_id} />, width: "minmax(150px, 1fr)" },
  { id: "next", header: "What to do", tip: TERM.next, cell: (row) => <span className="dim" title={adviceOn(row)}>{adviceOn(row)}</span>, width: "minmax(240px, 1.5fr)" },
];

/** What the bots made of signals, and why they did not trade. */
export function Verdicts() {
  const [filters, set] = useFilters("bot", "symbol", "source", "id", "outcome", "from", "to");
  const bar = (
    <FilterBar>
      <FilterSelect label="Outcome" value={filters.outcome} onChange={(value) => set("outcome", value)} data={OUTCOMES} width={160} />
      <BotFilter filters={filters} set={set} />
      <SourceFilters filters={filters} set={set} />
      <DateFilters filters={filters} set={set} />
    </FilterBar>
  );
  return (
    <>
      <Pending />
      <Panel title="Why not traded?" tip="Every signal gets a verdict from every bot that listens to it, with the reason. A row opens all that belongs to it.">
        {filters.outcome === DENIED ? <DeniedOrders filters={filters} bar={bar} /> : <Reached filters={filters} bar={bar} />}
      </Panel>
    </>
  );
}

const queryOf = (filters: Filters) => ({ ...common(filters), outcome: filters.outcome as Schemas["Outcome"] | undefined });
const load = (params: ReturnType<typeof queryOf>, cursor?: string, limit?: number) =>
  must(api.GET("/api/verdicts", { params: { query: { ...params, cursor, limit } } }));

function Reached({ filters, bar }: { filters: Filters; bar: ReactNode }) {
  const { open } = useChain();
  return (
    <DataTable
      label="Verdicts"
      topic="verdicts"
      params={queryOf(filters)}
      load={load}
      columns={COLUMNS}
      onOpen={(row) => open(row.id)}
      rowLabel={(row) => `${row.outcome}: ${row.action} ${row.symbol} for ${row.bot}`}
      csv="/api/verdicts.csv"
      filters={bar}
      none="No verdict yet: each signal gets one from every bot that listens to its source."
      empty="No verdict fits. Widen the filters."
    />
  );
}

import { api, must, type Schemas } from "@/api/client";
import { useChain } from "@/components/ChainDialog";
import { type Column, DataTable } from "@/components/DataTable";
import { DateFilters } from "@/components/DateFilter";
import { FilterBar, FilterSelect, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { Action, Source, State, Time } from "@/components/Values";
import { price, share } from "@/format";
import { TERM } from "@/terms";
import { choices, common, type Filters, SourceFilters } from "./lists";

type Signal = Schemas["SignalView"];

const COLUMNS: Column<Signal>[] = [
  { id: "at", header: "Said at", tip: "In market time, as its source says.", cell: (row) => <Time at={row.raised_at} />, width: "112px" },
  { id: "symbol", header: "Symbol", cell: (row) => row.symbol, width: "64px" },
  { id: "action", header: "Says", cell: (row) => <Action action={row.action} />, width: "70px", tip: TERM.says },
  { id: "source", header: "Source", tip: TERM.source, cell: (row) => <Source type={row.source_type} id={row.source_id} />, width: "minmax(160px, 1fr)" },
  { id: "confidence", header: "Confidence", cell: (row) => share(row.confidence), width: "92px", right: true, tip: "The source's own estimate, 0 to 100 %." },
  { id: "price", header: "Price seen", cell: (row) => price(row.price), width: "100px", right: true, tip: "What the source took for the price." },
  {
    id: "until",
    header: "Good until",
    cell: (row) => (row.withdrawn ? <State state="withdrawn" title="Its source took it back." /> : <Time at={row.valid_until} />),
    width: "112px",
    tip: "Nobody acts on it at or after this time.",
  },
  { id: "why", header: "Why", cell: (row) => <span title={row.reasoning}>{row.reasoning}</span>, width: "minmax(200px, 2fr)", tip: "The source's own words." },
];

const queryOf = (filters: Filters) => ({ ...common(filters), action: filters.action as Schemas["Action"] | undefined });
const load = (params: ReturnType<typeof queryOf>, cursor?: string, limit?: number) =>
  must(api.GET("/api/signals", { params: { query: { ...params, cursor, limit } } }));

/** What every source has said. */
export function Signals() {
  const [filters, set] = useFilters("symbol", "source", "id", "action", "from", "to");
  const { open } = useChain();
  return (
    <Panel title="Signals" tip="One source's word on one symbol. A row opens all that followed.">
      <DataTable
        label="Signals"
        topic="signals"
        params={queryOf(filters)}
        load={load}
        columns={COLUMNS}
        onOpen={(row) => open(row.id)}
        rowLabel={(row) => `${row.action} ${row.symbol} by ${row.source_id}`}
        csv="/api/signals.csv"
        none="No signal yet. Sources are added under QuantConnect, AI trading and Settings, Strategies; they speak as the market moves."
        empty="No signal fits. Widen the filters, or look in Settings whether a source is switched on."
        filters={
          <FilterBar>
            <SourceFilters filters={filters} set={set} />
            <FilterSelect label="Says" value={filters.action} onChange={(value) => set("action", value)} data={choices(["buy", "sell", "close", "hold"])} width={110} />
            <DateFilters filters={filters} set={set} />
          </FilterBar>
        }
      />
    </Panel>
  );
}

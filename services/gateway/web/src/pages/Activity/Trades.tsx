import { api, must, type Schemas } from "@/api/client";
import { useChain } from "@/components/ChainDialog";
import { type Column, DataTable } from "@/components/DataTable";
import { DateFilters } from "@/components/DateFilter";
import { FilterBar, FilterSelect, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { Change, Source, Time } from "@/components/Values";
import { cost, price, quantity, ratio, sentence, share } from "@/format";
import { TERM } from "@/terms";
import { BotFilter, choices, common, type Filters, SourceFilters } from "./lists";
import { Performance } from "./Performance";

type Trade = Schemas["TradeView"];

const COLUMNS: Column<Trade>[] = [
  { id: "at", header: "Time", cell: (row) => <Time at={row.at} />, width: "112px" },
  { id: "symbol", header: "Symbol", cell: (row) => row.symbol, width: "64px" },
  { id: "side", header: "Side", cell: (row) => sentence(row.side), width: "36px" },
  { id: "quantity", header: "Quantity", tip: TERM.quantity, cell: (row) => quantity(row.quantity), width: "80px", right: true },
  { id: "price", header: "Price", tip: "Of the fill, for each share or coin.", cell: (row) => price(row.price), width: "80px", right: true },
  { id: "fee", header: "Fee", tip: "What the broker took for this fill.", cell: (row) => cost(row.fee), width: "56px", right: true },
  {
    id: "pnl",
    header: "Realised",
    cell: (row) => <Change value={row.realised_pnl} />,
    width: "92px",
    right: true,
    tip: "Profit or loss of the lots that this fill closed, after fees.",
  },
  {
    id: "slippage",
    header: "Slippage",
    cell: (row) => (row.slippage_bps ? `${ratio(row.slippage_bps)} bp` : "–"),
    width: "90px",
    right: true,
    tip: "The fill against the middle price at the verdict, in hundredths of a per cent. Positive is worse.",
  },
  { id: "bot", header: "Bot", tip: TERM.bot, cell: (row) => row.bot, width: "90px" },
  { id: "source", header: "Source", tip: TERM.source, cell: (row) => <Source type={row.source_type} id={row.source_id} />, width: "minmax(140px, 1fr)" },
  { id: "confidence", header: "Confidence", tip: TERM.confidence, cell: (row) => share(row.confidence), width: "92px", right: true },
  { id: "purpose", header: "Purpose", tip: TERM.purpose, cell: (row) => sentence(row.purpose), width: "84px" },
  { id: "mode", header: "Money", tip: TERM.money, cell: (row) => (row.mode === "live" ? "Real" : "Paper"), width: "64px" },
];

const queryOf = (filters: Filters) => ({ ...common(filters), side: filters.side as Schemas["Side"] | undefined });
const load = (params: ReturnType<typeof queryOf>, cursor?: string, limit?: number) =>
  must(api.GET("/api/trades", { params: { query: { ...params, cursor, limit } } }));

/** What was executed, and what each source has earned by it. */
export function Trades() {
  const [filters, set] = useFilters("bot", "symbol", "source", "id", "side", "from", "to");
  const { open } = useChain();
  return (
    <>
      <Performance filters={filters} />
      <Panel title="Trades" tip="What was executed. A row opens all that belongs to it.">
        <DataTable
          label="Trades"
          topic="trades"
          params={queryOf(filters)}
          load={load}
          columns={COLUMNS}
          onOpen={(row) => open(row.id)}
          rowLabel={(row) => `${row.side} ${row.quantity} ${row.symbol} for ${row.bot}`}
          csv="/api/trades.csv"
          none="Nothing was executed yet. The verdicts say why signals were not traded."
          empty="No trade fits. Widen the filters; the verdicts say why signals were not traded."
          filters={
            <FilterBar>
              <BotFilter filters={filters} set={set} />
              <SourceFilters filters={filters} set={set} />
              <FilterSelect label="Side" value={filters.side} onChange={(value) => set("side", value)} data={choices(["buy", "sell"])} width={100} />
              <DateFilters filters={filters} set={set} />
            </FilterBar>
          }
        />
      </Panel>
    </>
  );
}

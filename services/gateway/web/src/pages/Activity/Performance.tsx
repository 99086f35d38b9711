import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, must, type Schemas } from "@/api/client";
import { useFilters } from "@/components/filters";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { Change, Source } from "@/components/Values";
import { count, money, ratio, sentence, share, took } from "@/format";
import { TERM } from "@/terms";
import { common, type Filters } from "./lists";

type Row = Schemas["PerformanceView"];
type Stage = Schemas["StageView"];
const GROUPS = [
  { value: "source", label: "Source" },
  { value: "bot", label: "Bot" },
  { value: "symbol", label: "Symbol" },
] as const;
type Group = (typeof GROUPS)[number]["value"];

const MS = 1000;
const STAGES: Record<string, [string, string]> = {
  signal_to_verdict: ["To verdict", "From the signal to the verdict"],
  verdict_to_order: ["To order", "From the verdict to the order"],
  accept_to_fill: ["To fill", "From the order to its first fill"],
  signal_to_fill: ["In all", "From the signal to the fill"],
};

const idOf = (row: Row): string => [row.source_type, row.source_id, row.bot, row.symbol].join("|");
const missing = (row: Row, name: string) => row.missing?.[name];

const stage = (name: string): Column<Row> => ({
  id: name,
  header: STAGES[name]?.[0] ?? sentence(name),
  width: "92px",
  right: true,
  tip: `${STAGES[name]?.[1] ?? sentence(name)}: half of the newest 500 orders were faster. Hover for the slowest 5 %.`,
  sort: (row) => row.stages?.find((one) => one.stage === name)?.p50_s ?? -1,
  cell: (row) => <StageCell found={row.stages?.find((one) => one.stage === name)} />,
});

function StageCell({ found }: { found: Stage | undefined }) {
  if (!found) return <>–</>;
  return <span title={`95 % within ${took(MS * found.p95_s)}, of ${found.orders} orders`}>{took(MS * found.p50_s)}</span>;
}

const FIGURES: Column<Row>[] = [
  { id: "pnl", header: "Realised", cell: (row) => <Change value={row.realised_pnl} />, width: "96px", right: true, sort: (row) => Number(row.realised_pnl), tip: "Profit and loss of closed lots, after fees." },
  { id: "fees", header: "Fees", tip: TERM.fees, cell: (row) => money(row.fees), width: "64px", right: true, sort: (row) => Number(row.fees) },
  { id: "trades", header: "Closed", cell: (row) => count(row.trades), width: "72px", right: true, sort: (row) => row.trades, tip: "Lots, or parts of them, that were closed." },
  {
    id: "rate",
    header: "Won",
    cell: (row) => <span title={missing(row, "win_rate")}>{share(row.win_rate)}</span>,
    width: "60px",
    right: true,
    sort: (row) => Number(row.win_rate ?? -1),
    tip: "Share of closed parts with a profit after the closing fee.",
  },
  { id: "fills", header: "Fills", tip: TERM.fills, cell: (row) => count(row.fills), width: "64px", right: true, sort: (row) => row.fills },
  {
    id: "slippage",
    header: "Slippage",
    cell: (row) => <span title={missing(row, "slippage_bps")}>{row.slippage_bps ? `${ratio(row.slippage_bps)} bp` : "–"}</span>,
    width: "90px",
    right: true,
    sort: (row) => Number(row.slippage_bps ?? 0),
    tip: "Fills against the middle price at the verdict, in hundredths of a per cent, weighted by what was traded. Positive is worse.",
  },
  ...Object.keys(STAGES).map(stage),
];

const NAMES: Record<Group, Column<Row>> = {
  source: {
    id: "name",
    header: "Source",
    tip: TERM.source,
    cell: (row) => <Source type={row.source_type ?? ""} id={row.source_id ?? ""} />,
    width: "minmax(160px, 1fr)",
    sort: (row) => `${row.source_type} ${row.source_id}`,
  },
  bot: { id: "name", header: "Bot", tip: TERM.bot, cell: (row) => row.bot, width: "minmax(140px, 1fr)", sort: (row) => row.bot ?? "" },
  symbol: { id: "name", header: "Symbol", cell: (row) => row.symbol, width: "minmax(140px, 1fr)", sort: (row) => row.symbol ?? "" },
};

/** Profit, fees, slippage and speed by source, bot or symbol. */
export function Performance({ filters }: { filters: Filters }) {
  const [{ by: wanted }, setFilter] = useFilters("by");
  const by = GROUPS.find((one) => one.value === wanted)?.value ?? "source";
  const { bot, symbol, from, to } = common(filters);
  const query = { by, bot, symbol, from, to };
  const found = useQuery({
    queryKey: ["performance", JSON.stringify(query)],
    queryFn: () => must(api.GET("/api/performance", { params: { query } })),
    placeholderData: (old) => old,
  });
  const columns = useMemo(() => [NAMES[by], ...FIGURES], [by]);
  return (
    <Panel
      title={`Profit and loss by ${by}`}
      tip="From the lots that fills opened and closed. The filters of bot, symbol and day below count here too."
      actions={<SegmentedControl size="xs" aria-label="Group by" value={by} onChange={(next) => setFilter("by", next)} data={[...GROUPS]} />}
    >
      <Loaded query={found} height={150} empty="Nothing was traded yet. As soon as a lot is closed, its profit stands here.">
        {({ items }) => <SimpleTable label={`Profit and loss by ${by}`} rows={items} columns={columns} idOf={idOf} height={260} />}
      </Loaded>
    </Panel>
  );
}

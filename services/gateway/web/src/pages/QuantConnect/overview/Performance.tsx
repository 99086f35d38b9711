import type { Schemas } from "@/api/client";
import { Loaded } from "@/components/Loaded";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { Change } from "@/components/Values";
import * as f from "@/format";
import { TERM } from "@/terms";
import { useAlgorithms, usePerformance } from "../queries";

type Row = Schemas["PerformanceView"] & { name: string };

const of = (value: string | null | undefined): number => Number(value ?? 0);

const COLUMNS: readonly Column<Row>[] = [
  { id: "name", header: "Algorithm", tip: TERM.algorithm, width: "minmax(170px, 2fr)", cell: (row) => row.name, sort: (row) => row.name },
  { id: "profit", header: "Realised", tip: "Profit of what was closed, after fees.", width: "110px", right: true, cell: (row) => <Change value={row.realised_pnl} />, sort: (row) => of(row.realised_pnl) },
  { id: "fees", header: "Fees", tip: TERM.fees, width: "90px", right: true, cell: (row) => f.money(row.fees), sort: (row) => of(row.fees) },
  { id: "trades", header: "Closed", tip: "Lots or parts of lots that were closed.", width: "80px", right: true, cell: (row) => f.count(row.trades), sort: (row) => row.trades },
  { id: "rate", header: "Win rate", tip: "Share of the closed ones that made a profit.", width: "100px", right: true, cell: (row) => f.share(row.win_rate), sort: (row) => of(row.win_rate) },
  { id: "factor", header: "Profit factor", tip: "What was won for each dollar lost; above 1 is a profit.", width: "120px", right: true, cell: (row) => <Known row={row} name="profit_factor" />, sort: (row) => of(row.profit_factor) },
  { id: "sharpe", header: "Sharpe", tip: "Mean daily return for its fluctuation, a year.", width: "90px", right: true, cell: (row) => <Known row={row} name="sharpe" />, sort: (row) => of(row.sharpe) },
  { id: "drawdown", header: "Drawdown", tip: "Deepest fall below the highest value before.", width: "100px", right: true, cell: (row) => <span title={row.missing?.max_drawdown}>{f.fall(row.max_drawdown)}</span>, sort: (row) => of(row.max_drawdown) },
];

function Known({ row, name }: { row: Row; name: "profit_factor" | "sharpe" }) {
  return <span title={row.missing?.[name]}>{f.ratio(row[name])}</span>;
}

/** What bots have earned with each algorithm's signals. */
export function Performance() {
  const query = usePerformance();
  const { data: algorithms } = useAlgorithms();
  const nameOf = (id: string | null | undefined): string =>
    algorithms?.items.find((one) => one.id === id)?.name ?? `Project ${id ?? f.NONE}`;
  return (
    <Loaded query={query} height={110} empty="No bot has traded on a QuantConnect signal yet. Let one listen to the source quantconnect under Settings.">
      {(rows) => (
        <SimpleTable
          label="Performance by algorithm"
          rows={rows.map((row) => ({ ...row, name: nameOf(row.source_id) }))}
          columns={COLUMNS}
          idOf={(row) => row.source_id ?? ""}
          height={260}
        />
      )}
    </Loaded>
  );
}

import { SegmentedControl, Stack } from "@mantine/core";
import { api, must, type Schemas } from "@/api/client";
import { type Column, DataTable } from "@/components/DataTable";
import { useFilters } from "@/components/filters";
import { Action, Change } from "@/components/Values";
import * as f from "@/format";
import { TERM } from "@/terms";

type Order = Schemas["BacktestOrderView"];
type Insight = Schemas["BacktestInsightView"];
type Trade = Schemas["BacktestTradeView"];

const KINDS = [
  { value: "trades", label: "Trades" },
  { value: "orders", label: "Orders" },
  { value: "insights", label: "Insights" },
];

/** With the year: a run may span many. */
function When({ at }: { at: string | null | undefined }) {
  if (!at) return f.NONE;
  return (
    <time dateTime={at} title={f.utc(at)}>
      {f.day(at)} {f.time(at)}
    </time>
  );
}

const TRADES: readonly Column<Trade>[] = [
  { id: "symbol", header: "Symbol", width: "minmax(64px, 1fr)", cell: (row) => row.symbol },
  { id: "side", header: "Direction", tip: "Long: bought first. Short: sold first.", width: "82px", cell: (row) => f.sentence(row.direction) },
  { id: "opened", header: "Opened", tip: "In the time of the test.", width: "158px", cell: (row) => <When at={row.opened_at} /> },
  { id: "closed", header: "Closed", tip: "In the time of the test.", width: "158px", cell: (row) => <When at={row.closed_at} /> },
  { id: "quantity", header: "Quantity", tip: TERM.quantity, width: "80px", right: true, cell: (row) => f.quantity(row.quantity) },
  { id: "entry", header: "Entry", tip: TERM.entry, width: "80px", right: true, cell: (row) => f.price(row.entry_price) },
  { id: "exit", header: "Exit", tip: "Price at which it was closed.", width: "80px", right: true, cell: (row) => f.price(row.exit_price) },
  { id: "fees", header: "Fees", tip: TERM.fees, width: "64px", right: true, cell: (row) => f.money(row.fees) },
  { id: "profit", header: "Profit", tip: "Before fees.", width: "100px", right: true, cell: (row) => <Change value={row.profit} /> },
];
const ORDERS: readonly Column<Order>[] = [
  { id: "time", header: "Time", width: "158px", cell: (row) => <When at={row.time} /> },
  { id: "symbol", header: "Symbol", width: "minmax(64px, 1fr)", cell: (row) => row.symbol },
  { id: "side", header: "Side", width: "60px", cell: (row) => row.side && <Action action={row.side} /> },
  { id: "type", header: "Type", tip: "How it asks for its price, such as at market or at a limit.", width: "130px", cell: (row) => f.sentence(row.type) },
  { id: "status", header: "Status", tip: "How it ended.", width: "110px", cell: (row) => f.sentence(row.status) },
  { id: "quantity", header: "Quantity", tip: TERM.quantity, width: "80px", right: true, cell: (row) => f.quantity(row.quantity) },
  { id: "price", header: "Price", tip: "Of what was filled.", width: "90px", right: true, cell: (row) => f.price(row.price) },
  { id: "value", header: "Value", tip: "Price times quantity.", width: "110px", right: true, cell: (row) => f.money(row.value) },
];
const INSIGHTS: readonly Column<Insight>[] = [
  { id: "time", header: "Time", width: "158px", cell: (row) => <When at={row.time} /> },
  { id: "closes", header: "Until", tip: "The end of what it expects.", width: "158px", cell: (row) => <When at={row.closes_at} /> },
  { id: "symbol", header: "Symbol", width: "minmax(64px, 1fr)", cell: (row) => row.symbol },
  { id: "direction", header: "Direction", tip: "Where it expects the price to go.", width: "82px", cell: (row) => f.sentence(row.direction) },
  { id: "model", header: "Model", tip: "The alpha model that made it.", width: "minmax(110px, 1fr)", cell: (row) => <span title={row.source_model ?? undefined}>{row.source_model}</span> },
  { id: "confidence", header: "Confidence", tip: "The model's own estimate, 0 to 100 %.", width: "98px", right: true, cell: (row) => f.share(row.confidence) },
  { id: "magnitude", header: "Magnitude", tip: "How far it expects the price to move.", width: "105px", right: true, cell: (row) => f.percent(row.magnitude) },
  { id: "reference", header: "Price", tip: "When it was made.", width: "90px", right: true, cell: (row) => f.price(row.reference) },
];

type Run = { id: string };
const trades = ({ id }: Run, cursor?: string, limit?: number) =>
  must(api.GET("/api/quantconnect/backtest/{backtest_id}/trades", { params: { path: { backtest_id: id }, query: { cursor, limit } } }));
const orders = ({ id }: Run, cursor?: string, limit?: number) =>
  must(api.GET("/api/quantconnect/backtest/{backtest_id}/orders", { params: { path: { backtest_id: id }, query: { cursor, limit } } }));
const insights = ({ id }: Run, cursor?: string, limit?: number) =>
  must(api.GET("/api/quantconnect/backtest/{backtest_id}/insights", { params: { path: { backtest_id: id }, query: { cursor, limit } } }));

/** Trades, orders and insights of a backtest that is done: they do not change any more. */
export function Rows({ id }: Run) {
  const [{ rows = "trades" }, setFilter] = useFilters("rows");
  const common = { params: { id }, fixed: true, height: 380 };
  return (
    <Stack gap="sm">
      <SegmentedControl data={KINDS} value={rows} onChange={(value) => setFilter("rows", value)} aria-label="What to show" w="fit-content" />
      {rows === "orders" ? (
        <DataTable key="orders" label="Orders" topic="backtest-orders" load={orders} columns={ORDERS} empty="This run has no orders." {...common} />
      ) : rows === "insights" ? (
        <DataTable key="insights" label="Insights" topic="backtest-insights" load={insights} columns={INSIGHTS} empty="This run has no insights." {...common} />
      ) : (
        <DataTable key="trades" label="Trades" topic="backtest-trades" load={trades} columns={TRADES} empty="This run has no trades." {...common} />
      )}
    </Stack>
  );
}

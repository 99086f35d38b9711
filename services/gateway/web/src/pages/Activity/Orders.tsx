import { Button, Group } from "@mantine/core";
import { type ReactNode, useMemo, useState } from "react";
import { advice } from "@/advice";
import { api, must, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { useChain } from "@/components/ChainDialog";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { type Column, DataTable } from "@/components/DataTable";
import { DateFilters } from "@/components/DateFilter";
import { FilterBar, FilterSelect, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { Source, State, Time } from "@/components/Values";
import { NONE, price, quantity, sentence, terms as termsOf } from "@/format";
import { TERM } from "@/terms";
import { BotFilter, choices, common, type Filters, SourceFilters } from "./lists";

type Order = Schemas["OrderView"];

const WORKING = "working";
const STATES = [
  { value: WORKING, label: "Working now" },
  ...choices(["filled", "partially_filled", "accepted", "denied", "rejected", "canceled", "expired", "unknown"]),
];
const AT_BROKER = ["accepted", "partially_filled"];
/** What was said of it; of one that rests, what it waits for. */
function why(row: Pick<Order, "message" | "reason" | "final" | "kind" | "state">): string {
  if (row.message || row.reason || row.final) return row.message || sentence(row.reason);
  if (!AT_BROKER.includes(row.state)) return row.state === "cancel_pending" ? "" : "Not with the broker yet.";
  if (row.kind === "stop") return "Rests at the broker to protect its lot.";
  if (row.kind === "limit") return "Waits for its price or a better one.";
  return row.state === "accepted" ? "Waits for the market: a fresh quote, or the open session." : "";
}

/** 3.0088 at 331.92; Waits for its price or a better one. */
export const result = (row: Parameters<typeof why>[0] & Pick<Order, "filled" | "average_price">): string =>
  [row.average_price ? `${quantity(row.filled)} at ${price(row.average_price)}` : "", why(row)].filter(Boolean).join(" · ");

const START: Column<Order>[] = [
  { id: "at", header: "Time", cell: (row) => <Time at={row.created_at} />, width: "112px" },
  { id: "symbol", header: "Symbol", cell: (row) => row.symbol, width: "72px" },
];
const BOT: Column<Order> = { id: "bot", header: "Bot", tip: TERM.bot, cell: (row) => <span title={row.bot}>{row.bot}</span>, width: "84px" };
const SOURCE: Column<Order> = {
  id: "source",
  header: "Source",
  tip: TERM.source,
  cell: (row) => <Source type={row.source_type} id={row.source_id} />,
  width: "minmax(140px, 1fr)",
};
/** `cancel` asks for working orders; without it nobody may. */
const columnsWith = (cancel: ((order: Order) => void) | undefined): Column<Order>[] => [
  ...START,
  { id: "state", header: "State", tip: "Where it stands, from planned to filled, or how else it ended.", cell: (row) => <Standing order={row} cancel={cancel} />, width: "166px" },
  { id: "side", header: "Order", tip: TERM.order, cell: (row) => <Asks order={row} />, width: "130px" },
  { id: "quantity", header: "Quantity", tip: TERM.quantity, cell: (row) => quantity(row.quantity), width: "90px", right: true },
  { id: "result", header: "Result", tip: "How much was filled at which average price; else what it waits for, or what the executor or the broker said.", cell: (row) => <span title={result(row)}>{result(row)}</span>, width: "minmax(246px, 2fr)" },
  BOT,
  SOURCE,
  {
    id: "purpose",
    header: "Purpose",
    cell: (row) => sentence(row.trigger ?? row.purpose),
    width: "90px",
    tip: TERM.purpose,
  },
];

/** Buy; Buy limit 101.25; Sell stop 95.00 */
function Asks({ order }: { order: Order }) {
  const terms = termsOf(order);
  return (
    <span title={`${sentence(order.side)} ${terms}`.trim()}>
      {order.side ? sentence(order.side) : NONE}
      {terms && <span className="dim"> {terms}</span>}
    </span>
  );
}

function Standing({ order, cancel }: { order: Order; cancel?: (order: Order) => void }) {
  return (
    <Group gap={4} wrap="nowrap">
      <State state={order.state} />
      {!order.final && cancel && (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Cancel ${order.symbol} of ${order.bot}`}
          onClick={(event) => {
            event.stopPropagation();
            cancel(order);
          }}
        >
          Cancel
        </Button>
      )}
    </Group>
  );
}

const DENIED: Column<Order>[] = [
  ...START,
  BOT,
  SOURCE,
  { id: "why", header: "Why", tip: "Why the executor made no order of an accepted signal.", cell: (row) => <span title={why(row)}>{why(row)}</span>, width: "minmax(360px, 2fr)" },
  { id: "next", header: "What to do", tip: TERM.next, cell: (row) => <span className="dim" title={advice(row.reason)}>{advice(row.reason)}</span>, width: "minmax(320px, 2fr)" },
];

const queryOf = (filters: Filters) => ({
  ...common(filters),
  ...(filters.state === WORKING ? { final: false } : { state: filters.state as Schemas["OrderState"] | undefined }),
});
const load = (params: ReturnType<typeof queryOf>, cursor?: string, limit?: number) =>
  must(api.GET("/api/orders", { params: { query: { ...params, cursor, limit } } }));

interface ListProps {
  filters: Filters;
  bar: ReactNode;
  label: string;
  columns: readonly Column<Order>[];
  none?: string;
  empty: string;
}

function OrderList({ filters, bar, ...table }: ListProps) {
  const { open } = useChain();
  return (
    <DataTable
      {...table}
      topic="orders"
      params={queryOf(filters)}
      load={load}
      onOpen={(row) => open(row.id)}
      rowLabel={(row) => `${row.state} ${row.side ?? ""} ${row.symbol} of ${row.bot}`}
      csv="/api/orders.csv"
      filters={bar}
    />
  );
}

/** Accepted signals that the executor made no order of. */
export function DeniedOrders({ filters, bar }: { filters: Filters; bar: ReactNode }) {
  return <OrderList filters={{ ...filters, state: "denied" }} bar={bar} label="Denied orders" columns={DENIED} empty="No accepted signal was denied. Widen the filters to see earlier ones." />;
}

/** Instructions to brokers, and what became of them. */
export function Orders() {
  const [filters, set] = useFilters("bot", "symbol", "source", "id", "state", "from", "to");
  const may = useMay("trader");
  const [asked, setAsked] = useState<Order | null>(null);
  const refresh = useRefresh();
  const columns = useMemo(() => columnsWith(may ? setAsked : undefined), [may]);
  const cancel = async () => {
    if (!asked) return;
    const { message } = await once(`cancel ${asked.id}`, (key) =>
      must(api.POST("/api/orders/{order_id}/cancel", { params: { path: { order_id: asked.id }, header: { "idempotency-key": key } } })),
    );
    const words = "The order is being cancelled; its row says when it is. What was filled before stays.";
    told(message ? `${words} For a stop: ${message}.` : words, asked.symbol);
    await refresh("orders");
  };
  return (
    <Panel title="Orders" tip="Exactly one for each accepted signal, or a denial that says why. A row opens all that belongs to it.">
      <OrderList
        filters={filters}
        columns={columns}
        label="Orders"
        none="No order yet: one follows each verdict that accepts. The verdicts say why nothing was ordered."
        empty="No order fits. Widen the filters, or look at the verdicts to see why nothing was ordered."
        bar={
          <FilterBar>
            <FilterSelect label="State" value={filters.state} onChange={(value) => set("state", value)} data={STATES} width={150} />
            <BotFilter filters={filters} set={set} />
            <SourceFilters filters={filters} set={set} />
            <DateFilters filters={filters} set={set} />
          </FilterBar>
        }
      />
      <ConfirmDialog opened={asked !== null} onClose={() => setAsked(null)} title="Cancel this order?" confirm="Cancel the order" danger act={cancel}>
        What is not filled yet of {asked?.side} {quantity(asked?.quantity)} {asked?.symbol} for bot {asked?.bot} is taken
        back. A fill that is under way still counts.
        {asked?.kind === "stop" && " It is a stop with the broker: its lot is watched here afterwards, and no other is placed for it."}
      </ConfirmDialog>
    </Panel>
  );
}

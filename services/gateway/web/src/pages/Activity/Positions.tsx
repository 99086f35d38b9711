import { Button, Menu } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { useCallback, useMemo, useState } from "react";
import { api, must } from "@/api/client";
import { once } from "@/api/once";
import { useMay, usePositions, useRefresh } from "@/api/shared";
import { type Held, idOfPosition, type Lot } from "@/books";
import { useChain } from "@/components/ChainDialog";
import { Csv } from "@/components/Csv";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { told } from "@/components/toasts";
import { Change, Source, Time } from "@/components/Values";
import { price, quantity, setShare, share } from "@/format";
import { TERM } from "@/terms";

interface Asked {
  bot: string;
  symbol?: string; // none: all of the bot's
  rows: readonly Held[]; // as they stood when it was asked
}

const FLATTEN = "FLATTEN";
const NOTHING: readonly Held[] = [];
const heldOf = (row: Held): string => `${row.symbol} ${row.quantity} ${row.lots.map((lot) => lot.id).join()}`;

const POSITIONS: Column<Held>[] = [
  { id: "bot", header: "Bot", tip: TERM.bot, cell: (row) => <span title={row.book}>{row.book}</span>, width: "minmax(100px, 1fr)", sort: (row) => row.book },
  { id: "symbol", header: "Symbol", cell: (row) => row.symbol, width: "90px", sort: (row) => row.symbol },
  { id: "quantity", header: "Quantity", cell: (row) => quantity(row.quantity), width: "100px", right: true, tip: "Below zero: sold short.", sort: (row) => Number(row.quantity) },
  { id: "average", header: "Entry", cell: (row) => price(row.average_price), width: "110px", right: true, tip: "Average price of what is held." },
  { id: "mark", header: "Now", cell: (row) => price(row.mark_price), width: "110px", right: true, tip: "Middle of the newest quote." },
  { id: "gain", header: "Unrealised", cell: (row) => <Change value={row.unrealised_pnl} />, width: "124px", right: true, tip: "Gain at the price now, before fees.", sort: (row) => Number(row.unrealised_pnl ?? 0) },
  { id: "pnl", header: "Realised", tip: "Profit and loss since the beginning, after all fees.", cell: (row) => <Change value={row.realised_pnl} />, width: "110px", right: true, sort: (row) => Number(row.realised_pnl) },
  { id: "lots", header: "Lots", cell: (row) => row.lots.length, width: "64px", right: true, tip: "How many open lots it is made of, each owned by one source." },
];

/** 205 below, 230 above, trailing 3 % */
export function guardOf(lot: Pick<Lot, "protection">): string {
  const { stop_price, target_price, trailing } = lot.protection ?? {};
  const parts = [
    stop_price && `stop ${price(stop_price)}`,
    target_price && `target ${price(target_price)}`,
    trailing && `trailing ${setShare(trailing)}`,
  ].filter(Boolean);
  return parts.join(", ") || "none";
}

const LOTS: Column<Lot>[] = [
  { id: "source", header: "Source", tip: TERM.source, cell: (row) => <Source type={row.source_type} id={row.source_id} />, width: "minmax(160px, 1fr)", sort: (row) => `${row.source_type} ${row.source_id}` },
  { id: "bot", header: "Bot", tip: TERM.bot, cell: (row) => <span title={row.book}>{row.book}</span>, width: "minmax(90px, 1fr)", sort: (row) => row.book },
  { id: "symbol", header: "Symbol", cell: (row) => row.symbol, width: "80px", sort: (row) => row.symbol },
  { id: "quantity", header: "Quantity", tip: TERM.quantity, cell: (row) => quantity(row.quantity), width: "90px", right: true, sort: (row) => Number(row.quantity) },
  { id: "entry", header: "Entry", tip: TERM.entry, cell: (row) => price(row.entry_price), width: "96px", right: true },
  { id: "guard", header: "Protected by", cell: (row) => guardOf(row), width: "minmax(140px, 1.2fr)", tip: "Stops and targets work while the source is silent and under the kill switch." },
  { id: "confidence", header: "Confidence", tip: TERM.confidence, cell: (row) => share(row.confidence), width: "92px", right: true },
  { id: "at", header: "Opened", tip: "When it was bought, or sold short.", cell: (row) => <Time at={row.opened_at} />, width: "116px", sort: (row) => row.opened_at },
];

/** What every bot holds, and whose lots it is made of. */
export function Positions() {
  const query = usePositions();
  const may = useMay("trader");
  const { open } = useChain();
  const [asked, setAsked] = useState<Asked | null>(null);
  const refresh = useRefresh();
  const items = query.data?.items ?? NOTHING;
  const ask = useCallback(
    (bot: string, symbol?: string) => setAsked({ bot, symbol, rows: items.filter((one) => one.bot === bot && (!symbol || one.symbol === symbol)) }),
    [items],
  );
  const columns = useMemo<Column<Held>[]>(
    () => [
      ...POSITIONS,
      {
        id: "close",
        header: "Close",
        width: "76px",
        cell: (row) =>
          may && (
            <Button
              size="compact-xs"
              variant="default"
              aria-label={`Close ${row.symbol} of ${row.book}`}
              onClick={() => ask(row.bot, row.symbol)}
            >
              Close
            </Button>
          ),
      },
    ],
    [may, ask],
  );
  const act = async () => {
    if (!asked) return;
    const { bot, symbol, rows } = asked;
    const placed = await once(`${symbol ? "close" : "flatten"} ${bot} ${rows.map(heldOf).join(";")}`, (key) => {
      const header = { "idempotency-key": key };
      return must(
        symbol
          ? api.POST("/api/positions/{bot}/{symbol}/close", { params: { path: { bot, symbol }, header } })
          : api.POST("/api/bots/{bot_id}/flatten", { params: { path: { bot_id: bot }, header } }),
      );
    });
    told(result(placed.orders?.length ?? 0), symbol ?? `Bot ${bot}`);
    await refresh("positions", "orders");
  };
  const flattens = asked !== null && !asked.symbol;
  const bots = [...new Set(items.map((position) => position.bot))];
  const lots = items.flatMap((position) => position.lots);
  return (
    <>
      <Panel
        title="Positions"
        tip="What each bot holds of each symbol, all sources together."
        actions={
          <>
            <Csv list="Positions" href="/api/positions.csv" />
            {may && bots.length > 0 && <FlattenMenu bots={bots} choose={ask} />}
          </>
        }
      >
        <Loaded query={query} height={180} empty="No bot holds anything. A position appears when a signal is accepted and filled.">
          {(held) => <SimpleTable label="Positions" rows={held.items} columns={columns} idOf={idOfPosition} height={380} />}
        </Loaded>
      </Panel>
      <Panel
        title="Open lots by source"
        tip="A lot is quantity that one source owns: it is closed by its own source first, and its profit is that source's. A row opens how it came about."
        actions={<Csv list="Open lots" href="/api/lots.csv" />}
      >
        <Loaded query={query} height={180} empty="No lot is open.">
          {() => (
            <SimpleTable label="Open lots" rows={lots} columns={LOTS} onOpen={(lot) => open(lot.id)} rowLabel={(lot) => `${lot.symbol} lot of ${lot.source_id}`} height={380} />
          )}
        </Loaded>
      </Panel>
      <ConfirmDialog
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={flattens ? `Flatten bot ${asked.bot}?` : "Close this position?"}
        confirm={flattens ? "Flatten" : "Close the position"}
        danger
        word={flattens ? FLATTEN : undefined}
        act={act}
      >
        {flattens && "Every position of this bot is closed at the market price, and its working orders are cancelled. Its sources may open new ones from their next signal on; switch the bot off if they should not."}
        {asked?.symbol &&
          `All ${asked.rows.map((one) => `${quantity(one.quantity)} ${one.symbol} of bot ${one.book}`).join(" and ")} is closed at the market price, whoever owns the lots. It works under the kill switch too.`}
      </ConfirmDialog>
    </>
  );
}

export function result(orders: number): string {
  if (orders === 0) return "There was nothing to close.";
  return `${orders === 1 ? "One order is" : `${orders} orders are`} on the way; the position goes when it is filled. Under Orders you see how it stands.`;
}

function FlattenMenu({ bots, choose }: { bots: readonly string[]; choose: (bot: string) => void }) {
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <Button size="xs" color="red" variant="outline" leftSection={<IconStack2 size={14} aria-hidden />}>
          Flatten a bot…
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Close all that it holds</Menu.Label>
        {bots.map((bot) => (
          <Menu.Item key={bot} onClick={() => choose(bot)}>
            {bot}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

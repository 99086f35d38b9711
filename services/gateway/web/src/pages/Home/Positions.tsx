import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { usePositions } from "@/api/shared";
import { type Held, idOfPosition } from "@/books";
import { useChain } from "@/components/ChainDialog";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { Change, Source } from "@/components/Values";
import * as f from "@/format";
import { TERM } from "@/terms";

const owners = (one: Held) => [...new Map(one.lots.map((lot) => [`${lot.source_type} ${lot.source_id}`, lot])).values()];
const COLUMNS: readonly Column<Held>[] = [
  { id: "symbol", header: "Symbol", width: "minmax(60px, 1fr)", cell: (one) => <strong>{one.symbol}</strong>, sort: (one) => one.symbol },
  { id: "bot", header: "Bot", tip: TERM.bot, width: "minmax(80px, 1fr)", cell: (one) => <span title={one.book}>{one.book}</span>, sort: (one) => one.book },
  { id: "quantity", header: "Quantity", tip: TERM.quantity, width: "84px", right: true, cell: (one) => f.quantity(one.quantity), sort: (one) => Number(one.quantity) },
  {
    id: "gain", header: "Unrealised", width: "104px", right: true, tip: "At the newest price, before fees.",
    cell: (one) => <Change value={one.unrealised_pnl} />, sort: (one) => Number(one.unrealised_pnl ?? 0),
  },
  { id: "average", header: "Entry", width: "90px", right: true, tip: "Average price of what is held.", cell: (one) => f.price(one.average_price) },
  { id: "mark", header: "Price", width: "90px", right: true, tip: "Middle between bid and ask of the newest quote.", cell: (one) => f.price(one.mark_price) },
  {
    id: "owner", header: "Owner", width: "minmax(150px, 2fr)", tip: "The source whose signal opened it.",
    cell: (one) => {
      const [first, ...more] = owners(one);
      return first ? <><Source type={first.source_type} id={first.source_id} />{more.length > 0 && ` and ${more.length} more`}</> : f.NONE;
    },
  },
];

/** What all bots hold. */
export function Positions() {
  const query = usePositions();
  const { open } = useChain();
  return (
    <Panel
      title="Positions"
      tip="What bots hold now. Open one to see the signal it came from."
      actions={<Anchor component={Link} to="/activity/positions" size="sm">Close or flatten</Anchor>}
    >
      <Loaded query={query} height={200} empty="Nothing is held now. A position opens when a bot accepts a buy signal.">
        {({ items }) => (
          <SimpleTable
            label="Positions"
            rows={items}
            columns={COLUMNS}
            idOf={idOfPosition}
            onOpen={(one) => open(one.lots[0]?.id ?? null)}
            rowLabel={(one) => `${one.symbol} of ${one.book}, ${f.quantity(one.quantity)}. Open its chain.`}
            height={404}
          />
        )}
      </Loaded>
    </Panel>
  );
}

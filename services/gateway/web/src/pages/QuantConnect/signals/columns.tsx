import { Badge } from "@mantine/core";
import type { Column } from "@/components/TableView";
import { Action, Time } from "@/components/Values";
import * as f from "@/format";
import type { Signal } from "../queries";

/** Whether every bot is done with it. */
export function Processed({ signal }: { signal: Signal }) {
  return signal.processed ? <span className="dim">Processed</span> : <Badge color="blue">Not processed</Badge>;
}

export const SIGNAL_COLUMNS: readonly Column<Signal>[] = [
  { id: "time", header: "Said at", tip: "In the algorithm's own time.", width: "140px", cell: (row) => <Time at={row.timestamp} /> },
  { id: "symbol", header: "Symbol", width: "minmax(80px, 1fr)", cell: (row) => row.symbol },
  { id: "action", header: "Signal", tip: "An insight up is a buy, down a sell, flat a close.", width: "80px", cell: (row) => <Action action={row.signal} /> },
  { id: "processed", header: "Bots", tip: "Processed: no bot waits for a person, and each that listens has judged it.", width: "130px", cell: (row) => <Processed signal={row} /> },
  { id: "account", header: "Account", tip: "Whose projects at QuantConnect it was read from.", width: "minmax(100px, 1fr)", cell: (row) => row.config_id },
  { id: "confidence", header: "Confidence", tip: "The insight's own estimate; where it has none, the account's default.", width: "115px", right: true, cell: (row) => f.share(row.confidence) },
  { id: "price", header: "Price", tip: "What the algorithm saw when it spoke.", width: "100px", right: true, cell: (row) => f.price(row.price) },
];

export const rowLabel = (row: Signal): string => `${f.sentence(row.signal)} ${row.symbol}, open`;

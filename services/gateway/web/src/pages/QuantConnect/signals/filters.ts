// The filters of the tab, as the interface takes them.

import type { Schemas } from "@/api/client";
import { spanOf } from "@/components/DateFilter";

export const NAMES = ["symbol", "action", "processed", "config", "from", "to"] as const;
export type Filters = Partial<Record<(typeof NAMES)[number], string>>;

export const ACTIONS: readonly Schemas["Action"][] = ["buy", "sell", "close", "hold"];
const PROCESSED: Record<string, boolean> = { yes: true, no: false };

export function queryOf({ symbol, action, processed, config, from, to }: Filters) {
  return {
    symbol: symbol?.toUpperCase(),
    action: ACTIONS.find((one) => one === action),
    processed: PROCESSED[processed ?? ""],
    config,
    ...spanOf(from, to),
  };
}

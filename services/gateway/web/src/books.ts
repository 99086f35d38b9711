// A bot whose lots stay on an account that it has left holds them in two books: there the account tells them apart.

import type { Schemas } from "@/api/client";

type Position = Schemas["PositionView"];
export type Lot = Schemas["LotView"] & { book: string };
/** A position, with the name of its book: the bot, and the account too where the bot has positions on several. */
export type Held = Omit<Position, "lots"> & { book: string; lots: Lot[] };

/** What tells a position from all others: lots stay in the account where they were bought. */
export const idOfPosition = ({ bot, account, symbol }: Pick<Position, "bot" | "account" | "symbol">): string => `${bot}|${account}|${symbol}`;

export function withBooks({ items }: { items: readonly Position[] }): { items: Held[] } {
  const accounts = new Map<string, Set<string>>();
  for (const { bot, account } of items) accounts.set(bot, (accounts.get(bot) ?? new Set()).add(account));
  return {
    items: items.map((one) => {
      const several = (accounts.get(one.bot)?.size ?? 0) > 1;
      const book = several ? `${one.bot} on ${one.account}` : one.bot;
      return { ...one, book, lots: (one.lots ?? []).map((lot) => ({ ...lot, book })) };
    }),
  };
}

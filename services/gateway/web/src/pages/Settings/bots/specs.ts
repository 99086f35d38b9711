// Every number that a bot has. The interface's own types make this list complete: a field that it gains is missed here.

import type { Schemas } from "@/api/client";
import type { Spec } from "@/components/fields";

type Numbers<T, Not extends keyof T = never> = Record<Exclude<keyof T, Not>, Spec>;

export type Limits = Required<Schemas["Limits"]>;
export type Sizing = Required<Schemas["Sizing"]>;
export type Exits = Required<Schemas["Exits"]>;

export const LIMITS: Numbers<Limits, "restricted" | "source_budgets" | "wait_for_open"> = {
  max_order_notional: { label: "One order", unit: "$", tip: "Most that one order may be worth." },
  max_quantity: { label: "Units of one order", tip: "Most units that one order may have.", none: "no limit" },
  max_position_notional: { label: "One symbol", unit: "$", tip: "Most that a position in one symbol may be worth after the order." },
  max_open_positions: { label: "Open positions", tip: "Most symbols held at a time." },
  max_gross_exposure: { label: "Gross exposure", unit: "$", tip: "Most that all positions together may be worth, long and short added." },
  max_orders_per_minute: { label: "Orders a minute", tip: "Most orders in a minute of market time." },
  max_repeats: { label: "Repeats", tip: "Most times that the same order on a symbol may come within a minute." },
  max_daily_loss: { label: "Loss of a day", unit: "%", tip: "Of the equity with which the market day began. From there on no entries that day; 100 switches it off." },
  halt_daily_loss: { label: "Loss that halts", unit: "%", tip: "Of the same equity. From there on the bot is halted until an admin clears it; 100 switches it off." },
  max_drawdown: { label: "Drawdown that halts", unit: "%", tip: "Fall from the highest equity. From there on the bot is halted until an admin clears it; 100 switches it off." },
  loss_streak: { label: "Losses in a row", tip: "So many losing exits in a row lock the bot for a while; 0 never does." },
  reject_streak: { label: "Rejections in a row", tip: "So many entries in a row that the broker rejects lock the bot; 0 never does." },
  lock_s: { label: "Lock", unit: "s", tip: "How long such a lock lasts, in market time." },
  loss_cooldown_s: { label: "Pause after a loss", unit: "s", tip: "No entry on a symbol for so long after a losing exit, in market time; 0 is no pause." },
  max_quote_age_s: { label: "Age of a quote", unit: "s", tip: "Orders wait for a quote that is fresher than this, in market time." },
  max_spread: { label: "Spread", unit: "%", tip: "Widest difference of bid and ask, of the price between them." },
  max_slippage: { label: "Slippage", unit: "%", tip: "Farthest that the price may be from what the signal saw; 100 switches it off." },
  limit_bps: { label: "Limit of entries", unit: "bp", tip: "Entries go as limit orders so far beyond the best price, in hundredths of a per cent. Without a number they are market orders.", none: "market orders" },
};

export const SIZING: Numbers<Sizing, "kind" | "increments" | "atr_interval"> = {
  notional: { label: "Amount", unit: "$", tip: "What each entry is worth." },
  fraction: { label: "Part of the equity", unit: "%", tip: "Of what the book is worth when the order is made." },
  risk: { label: "Risk", unit: "%", tip: "Part of the equity that is lost when the price moves against the position by the distance below." },
  atr_multiple: { label: "Distance", tip: "In average true ranges: how far an ordinary move may go." },
  atr_period: { label: "Bars of the range", tip: "Over how many bars the average true range is taken." },
  increment: { label: "Step of quantities", tip: "Quantities are rounded down to it: 0.0001, or 1 for whole shares." },
};

/** Which of them count, by the way of sizing. */
export const SIZED_BY: Record<Sizing["kind"], readonly (keyof typeof SIZING)[]> = {
  fixed_notional: ["notional", "increment"],
  percent_of_equity: ["fraction", "increment"],
  volatility_target: ["risk", "atr_multiple", "atr_period", "increment"],
};

export const EXITS: Numbers<Exits> = {
  stop: { label: "Stop", unit: "%", tip: "Below the entry price (above it for shorts) the lot is closed.", none: "none" },
  target: { label: "Target", unit: "%", tip: "Above the entry price (below it for shorts) the lot is closed.", none: "none" },
  trailing: { label: "Trailing stop", unit: "%", tip: "The lot is closed when the price falls back so far from its best since.", none: "none" },
  hold_s: { label: "Longest hold", unit: "s", tip: "The lot is closed after so long, in market time.", none: "none" },
};

export const LIMIT_GROUPS: readonly (readonly [string, readonly (keyof typeof LIMITS)[]])[] = [
  ["Size", ["max_order_notional", "max_quantity", "max_position_notional", "max_open_positions", "max_gross_exposure"]],
  ["Pace", ["max_orders_per_minute", "max_repeats", "loss_cooldown_s"]],
  ["Losses", ["max_daily_loss", "halt_daily_loss", "max_drawdown", "loss_streak", "reject_streak", "lock_s"]],
  ["Prices", ["max_quote_age_s", "max_spread", "max_slippage", "limit_bps"]],
];

export const POLICY: Record<"consensus_of" | "margin" | "cooldown_s", Spec> = {
  consensus_of: { label: "Sources that must agree", tip: "Of consensus: so many live sources must want the same side." },
  margin: { label: "Lead", tip: "Of weighted: the side's sum of confidence times trust must lead by this, 0 to 1." },
  cooldown_s: { label: "Cooldown", unit: "s", tip: "After an accepted signal the bot takes no other on the same symbol and side for so long, in market time." },
};

export const PRIORITY: Spec = { label: "Priority", tip: "The higher number leads." };
export const THRESHOLD: Spec = { label: "Least confidence", unit: "%", tip: "A signal that is less sure is refused.", none: "any" };
export const LIFE: Spec = { label: "Lives", unit: "s", tip: "So long after it was said a signal may be acted on, in market time; never longer than it says itself.", none: "as it says" };
export const TRUST: Spec = { label: "Trust", unit: "%", tip: "Weight of the source in the policy weighted; without one it counts fully.", none: "100" };
export const BUDGET: Spec = { label: "Budget", unit: "%", tip: "Part of the equity that this kind of source may have in the market.", none: "no limit" };

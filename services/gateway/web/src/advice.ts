// What a person can do about a verdict or a denial, by its code. The gateway says why; this says what next.

import type { Schemas } from "@/api/client";

const ADVICE: Record<string, string> = {
  // verdicts
  awaits_approval: "Approve or decline it before its time is up.",
  lapsed: "Answer sooner, or let the bot approve by itself (Settings, Bots).",
  no_subscriber: "Add this source to a bot's sources (Settings, Bots).",
  source_disabled: "Switch the source on, for the bot or for all (Settings).",
  bot_disabled: "Switch the bot on (Settings, Bots).",
  symbol_not_allowed: "Add the symbol to the bot, or leave its list empty for every symbol.",
  expired: "Nothing, if it is rare. Else look how late the source delivers.",
  stale_word: "Nothing: the newer word counts.",
  low_confidence: "Lower the bot's threshold for this source if you trust it more.",
  no_opinion: "Nothing: a hold is no order.",
  held_by_higher: "Wait until the higher source's word ends, or change the priorities.",
  led_by_higher: "Allow adding on agreement in the bot's policy if both should buy.",
  held_by_equal: "Give one of the sources a higher priority.",
  blocked_by_hold: "Let a hold abstain instead of block in the bot's policy.",
  vetoed: "Choose another policy if one voice should not block all.",
  no_consensus: "Ask for fewer agreeing sources, or wait for more of them.",
  outweighed: "Change the sources' trust or the margin in the bot's policy.",
  cooldown: "Wait, or shorten the bot's cooldown.",
  replay_feed: "Run with a live price feed before real signals can trade.",
  config_changed: "Nothing: the next signal is judged under the new settings.",
  // orders
  nothing_to_change: "Nothing: there is nothing to close. Allow shorting if the bot should sell short.",
  trading_halted: "Release the kill switch or clear the halt (Settings, Limits).",
  daily_loss: "Wait for the next market day, or raise the daily loss limit.",
  drawdown: "Look at what was lost, then clear the halt (Settings, Limits).",
  locked: "Wait until the lock ends; it follows a row of losses.",
  loss_cooldown: "Wait, or shorten the pause after a losing exit.",
  order_rate: "Wait a minute, or raise the orders per minute.",
  repeat_order: "Look why the source repeats itself, or raise the repeats.",
  max_order_notional: "Make orders smaller (sizing), or raise the limit of one order.",
  max_quantity: "Make orders smaller (sizing), or raise the units of one order.",
  max_position: "Close a part of the position, or raise its limit.",
  max_open_positions: "Close a position, or allow more of them.",
  max_exposure: "Close something, or raise the gross exposure.",
  source_budget: "Close some of this source's lots, or raise its budget.",
  buying_power: "Close something, or make orders smaller.",
  superseded: "Nothing: a newer order took its place.",
  duplicate_order: "Nothing: the same order is already at the broker.",
  close_incomplete: "Look at the position; close the rest by hand if you want it gone.",
  position_mismatch: "Look at the alert: it names what the broker holds, and how to correct the book.",
  wide_spread: "Wait for a narrower spread, or allow a wider one.",
  price_collar: "Nothing, if the price ran away. Else allow more slippage.",
  stop_passed: "Nothing: the price was already beyond its own stop.",
  target_passed: "Nothing: the price had already reached its target.",
  market_closed: "Wait for the session, or let the bot's entries wait for it (Settings, Bots).",
  restricted: "Take the symbol off the bot's restricted list.",
  no_volatility: "Wait for more bars, or size by a fixed amount.",
  not_shortable: "Nothing: this cannot be sold short.",
  not_tradable: "Nothing: the broker does not trade it.",
  below_minimum: "Make orders larger (sizing).",
  signal_withdrawn: "Nothing: its source took the signal back before it was carried out.",
  stale_signal: "Nothing, if it is rare. Else look how late the source delivers.",
  unknown_account: "Give the bot an account (Settings, Bots).",
  unknown_bot: "Nothing: the bot was deleted.",
  broker_unavailable: "Look at the alerts; it is sent no second time.",
  live_not_allowed: "All three switches to live money must be on (Settings, Accounts).",
  dead_letter: "Clear the halt once the cause is known (Settings, Limits).",
};

/** What to do next; empty when there is nothing to do. */
export const advice = (reason: string | null | undefined): string => ADVICE[reason ?? ""] ?? "";

/** The same of a verdict: accepted ones need nothing, and rounds that are over are past help. */
export const adviceOn = ({ outcome, current, reason }: Pick<Schemas["VerdictView"], "outcome" | "current" | "reason">): string =>
  outcome === "accepted" || !current ? "" : advice(reason);

// An alert in words: what it tells of, whom it is about, and where a person acts on it.

import type { Schemas } from "@/api/client";
import { sentence } from "@/format";

type Told = Pick<Schemas["AlertView"], "code" | "about">;
interface Place {
  to: string;
  label: string;
}

/** Exit given up; Budget 80% spent */
export function titleOf(code: string): string {
  if (code === "dead_letter") return "Message set aside";
  const [, share] = /^budget_(\d+)$/.exec(code) ?? [];
  return share ? `Budget ${share}% spent` : sentence(code);
}

const KINDS: Record<string, string> = { key: "Bot", llm: "Model", quantconnect: "QuantConnect account" };

/** Bot demo; Bot demo on BTC/USD; Account real on AAPL; Budget total, day 2026-11-24 */
export function aboutOf(about: string): string {
  const [, kind = "", rest = ""] = /^([a-z]+):(.*)$/s.exec(about) ?? [];
  if (!rest) return about;
  if (kind === "key" || kind === "account") return `${KINDS[kind] ?? sentence(kind)} ${rest.replace("/", " on ")}`;
  if (kind === "budget") return `Budget ${rest.replace(":", ", ").replace(":", " ")}`;
  return `${KINDS[kind] ?? sentence(kind)} ${rest}`;
}

const HALTS: Place = { to: "/settings/limits", label: "Clear the halt" };
const CLOSE: Place = { to: "/activity/positions", label: "Positions" };
const WORKING: Place = { to: "/activity/orders?state=working", label: "Working orders" };
const ACCOUNTS: Place = { to: "/settings/accounts", label: "Accounts" };
const BY_CODE: Record<string, Place> = {
  key_halted: HALTS, bot_halted: HALTS, books_mismatch: HALTS, bot_locked: { to: "/settings/limits", label: "Limits" },
  margin_low: CLOSE, exit_given_up: CLOSE, exit_rejected: CLOSE, order_abandoned: CLOSE, position_mismatch: CLOSE, stop_watched: CLOSE,
  dead_letter: { to: "/activity/alerts", label: "Set aside" },
  exit_waits: WORKING, fill_failed: WORKING, order_unknown: WORKING, order_vanished: WORKING,
};
const BY_KIND: Record<string, Place> = {
  account: ACCOUNTS,
  budget: { to: "/ai-trading/costs", label: "Budgets" },
  llm: { to: "/ai-trading/configuration", label: "Models" },
  quantconnect: { to: "/quantconnect/configuration", label: "QuantConnect accounts" },
  strategy: { to: "/settings/strategies", label: "Strategies" },
};

/** Where it is mended; null where no page can help. */
export const placeOf = ({ code, about }: Told): Place | null => BY_CODE[code] ?? BY_KIND[about.split(":")[0] ?? ""] ?? null;

// Every number, time and word as the page shows it. Money arrives as text and is never added up here.

import { toPercent } from "./decimals";
import { times } from "./prefs";

type Given = string | number | null | undefined;

export const NONE = "–";
const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat("en-US", options);
const shown = (format: Intl.NumberFormat) => (value: Given) =>
  value === null || value === undefined || value === "" || Number.isNaN(Number(value))
    ? NONE
    : format.format(value as number);

/** $108,757.49 */
export const money = shown(number({ style: "currency", currency: "USD" }));
/** +$812.40 */
export const change = shown(number({ style: "currency", currency: "USD", signDisplay: "exceptZero" }));
/** $0.0034, what a call of a model costs */
export const cost = shown(number({ style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 4 }));
/** 187.4215 */
export const price = shown(number({ minimumFractionDigits: 2, maximumFractionDigits: 6 }));
/** limit 101.25, stop 95.00: what an order waits for; of a market order nothing */
export function terms({ kind, limit_price: limit, stop_price: stop }: { kind?: string; limit_price?: Given; stop_price?: Given }): string {
  if (kind === "limit") return `limit ${price(limit)}`;
  return kind === "stop" ? `stop ${price(stop)}` : "";
}
/** 0.00012345, no trailing zeros */
export const quantity = shown(number({ maximumFractionDigits: 8 }));
/** +1.69%, from a fraction */
export const percent = shown(
  number({ style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" }),
);
/** A drawdown as a fall: -12.00%, from a fraction */
export const fall = (fraction: Given): string => percent(fraction && -Number(fraction));
/** 72%, from a fraction */
export const share = shown(number({ style: "percent", maximumFractionDigits: 0 }));
/** 57% (48% to 66%): a rate, and between which the true one lies */
export const within = (rate: Given, low: Given, high: Given): string => (rate == null ? NONE : `${share(rate)} (${share(low)} to ${share(high)})`);
/** 2.5%, from a fraction that somebody has set: no digit of it is lost */
export const setShare = (value: Given): string =>
  value === null || value === undefined || value === "" ? NONE : `${toPercent(String(value))}%`;
/** 1.53 */
export const ratio = shown(number({ minimumFractionDigits: 2, maximumFractionDigits: 2 }));
/** 12,345 */
export const count = shown(number({ maximumFractionDigits: 0 }));
const COMPACT = number({ notation: "compact", maximumFractionDigits: 1 });
/** 108.8K, on an axis */
export const compact = (value: number): string => COMPACT.format(value);

/** Which way an amount goes, for the classes `up` and `down`. */
export function direction(value: Given): "up" | "down" | "" {
  const amount = Number(value ?? 0);
  return amount > 0 ? "up" : amount < 0 ? "down" : "";
}

// Times. Local time is shown, or UTC for who prefers that; the full time in UTC stands in the tooltip (component `Time`).
const ZONE = times() === "utc" ? { timeZone: "UTC" } : {};
const LOCAL_TIME = new Intl.DateTimeFormat("en-GB", { ...ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const LOCAL_DAY = new Intl.DateTimeFormat("en-GB", { ...ZONE, day: "numeric", month: "short", year: "numeric" });
const LOCAL_SHORT_DAY = new Intl.DateTimeFormat("en-GB", { ...ZONE, day: "2-digit", month: "short" });

/** 16:00:05, local */
export const time = (at: string | null | undefined): string => (at ? LOCAL_TIME.format(new Date(at)) : NONE);
/** 3 Aug 2026, local */
export const day = (at: string | null | undefined): string => (at ? LOCAL_DAY.format(new Date(at)) : NONE);
/** 03 Aug 16:00:05, local */
export const dayTime = (at: string | null | undefined): string =>
  at ? `${LOCAL_SHORT_DAY.format(new Date(at))} ${time(at)}` : NONE;
// On an axis of time, the coarser the further apart: year, month, day, minute, second.
const AXIS = [
  { year: "numeric" },
  { month: "short", year: "numeric" },
  { day: "2-digit", month: "short" },
  { hour: "2-digit", minute: "2-digit" },
  { hour: "2-digit", minute: "2-digit", second: "2-digit" },
].map((parts) => new Intl.DateTimeFormat("en-GB", { ...ZONE, ...(parts as Intl.DateTimeFormatOptions) }));
/** 2026, Aug 2026, 03 Aug, 16:00 or 16:00:05 of seconds since 1970, by how fine an axis is: 0 to 4. */
export const axisTime = (seconds: number, fineness: number): string => (AXIS[fineness] ?? LOCAL_TIME).format(seconds * 1000);

/** 2026-08-03 16:00:05 UTC */
export function utc(at: string | null | undefined): string {
  if (!at) return NONE;
  const iso = new Date(at).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
/** 12 s ago, 4 min ago, of a wall-clock time */
export function ago(at: string | null | undefined, now: number = Date.now()): string {
  if (!at) return "never";
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
}
/** 90 s, 15 min, 4 h, 5 days */
export function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 120) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
/** 340 ms, 2.4 s, of milliseconds */
export const took = (ms: number | null | undefined): string =>
  ms == null ? NONE : ms < 1000 ? `${Math.round(ms)} ms` : span(ms / 1000);

/** partially filled */
export const words = (code: string | null | undefined): string => (code ?? "").replaceAll("_", " ");
/** Partially filled */
export function sentence(code: string | null | undefined): string {
  const text = words(code);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const SOURCES = { manual: "Manual", quantconnect: "QuantConnect", llm: "AI", external: "External", strategy: "Classic" };
/** AI, Classic, QuantConnect, … */
export const sourceType = (type: string): string => (SOURCES as Record<string, string>)[type] ?? sentence(type);
/** Every kind of source, by its usual priority. */
export const SOURCE_TYPES = Object.keys(SOURCES) as readonly (keyof typeof SOURCES)[];
export const SOURCE_CHOICES = SOURCE_TYPES.map((value) => ({ value, label: SOURCES[value] }));
/** QuantConnect 4711; of what a person raised, no id of theirs. */
export const source = (type: string, id: string): string => (type === "manual" ? sourceType(type) : `${sourceType(type)} ${id}`);

// Every number, time and word as the page shows it. Money arrives as text and is never added up here.

const number = (options) => new Intl.NumberFormat("en-US", options);
const MONEY = number({ style: "currency", currency: "USD" });
const CHANGE = number({ style: "currency", currency: "USD", signDisplay: "exceptZero" });
const PRICE = number({ minimumFractionDigits: 2, maximumFractionDigits: 4 });
const QUANTITY = number({ maximumFractionDigits: 8 });
const PERCENT = number({ style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });
const SHARE = number({ style: "percent", maximumFractionDigits: 0 });
const RATIO = number({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
const NONE = "–";

const given = (format) => (value) => (value === null || value === undefined || value === "" ? NONE : format.format(value));
export const money = given(MONEY);
export const change = given(CHANGE);
export const price = given(PRICE);
export const quantity = given(QUANTITY);
export const percent = given(PERCENT);
export const share = given(SHARE);
export const ratio = given(RATIO);

/** `up` for a gain, `down` for a loss. */
export const direction = (text) => (Number(text) > 0 ? "up" : Number(text) < 0 ? "down" : "");

const iso = (at) => new Date(at).toISOString();
/** 16:00:05 */
export const time = (at) => (at ? iso(at).slice(11, 19) : NONE);
/** 2026-08-03 16:00:05 UTC */
export const moment = (at) => (at ? `${iso(at).slice(0, 10)} ${iso(at).slice(11, 19)} UTC` : NONE);
/** Mon 3 Aug 2026, 16:00:05 */
export function clock(at) {
  const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return `${day.format(at)}, ${time(at)}`;
}
/** 1:05 until a time on a clock that runs at `speed`; empty once it is over. */
export function left(until, now, speed) {
  const seconds = Math.floor((new Date(until) - now) / 1000 / (speed || 1));
  if (seconds <= 0) return "";
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours} h ${minutes} min` : `${minutes}:${tail}`;
}
/** 12 s, 4 min, 3 h since a wall time. */
export function ago(at) {
  if (!at) return "never";
  const seconds = Math.max(0, Math.round((Date.now() - new Date(at)) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}

const SOURCES = { quantconnect: "QuantConnect", llm: "LLM", strategy: "Traditional", external: "External", manual: "Manual" };
export const sourceType = (type) => SOURCES[type] ?? type;
/** QuantConnect 4711 */
export const source = (type, id) => `${sourceType(type)} ${id}`;
/** partially filled */
export const words = (code) => String(code ?? "").replaceAll("_", " ");

const OUTCOMES = { accepted: "good", pending: "wait", suppressed: "dim", refused: "dim", declined: "bad", lapsed: "dim" };
export const outcomeKind = (outcome) => OUTCOMES[outcome] ?? "";
const STATES = { filled: "good", partially_filled: "good", accepted: "wait", planned: "wait", submitting: "wait", unknown: "bad", denied: "bad", rejected: "bad" };
export const stateKind = (state) => STATES[state] ?? "dim";
export const actionKind = (action) => ({ buy: "up", sell: "down" })[action] ?? "";

// What QuantConnect's states and figures are called here, and what people type for it.

import type { Schemas } from "@/api/client";
import { NONE, money, percent } from "@/format";
import { isLive, standing, type Standing } from "@/standing";
import type { Algorithm, Status } from "./queries";

const BEGINNING = ["deploying", "loggingin", "initializing", "history", "inqueue"];

/** `RuntimeError` as runtime_error, for a badge. */
export function statusCode(status: string): string {
  if (BEGINNING.includes(status.toLowerCase())) return "deploying";
  return status.replace(/([a-z])([A-Z])/g, "$1_$2").replaceAll(" ", "_").toLowerCase();
}

/** The list, with what was heard since it was read. */
export function upToDate(listed: readonly Algorithm[], statuses: readonly Status[]): Algorithm[] {
  const heard = new Map(statuses.flatMap((one) => one.algorithms ?? []).map((one) => [keyOf(one), one]));
  return listed.map((one) => {
    const newer = heard.get(keyOf(one));
    if (!newer || Date.parse(newer.fetched_at ?? "") <= Date.parse(one.fetched_at ?? "")) return one;
    return { ...one, status: newer.status, performance: newer.performance, deploy_id: newer.deploy_id, fetched_at: newer.fetched_at };
  });
}

/** Those that run first, then by name. */
export const byState = (a: Algorithm, b: Algorithm): number => Number(isLive(b)) - Number(isLive(a)) || a.name.localeCompare(b.name);

const STANDING: Record<Standing, string> = {
  incomplete: "It cannot be read yet. Complete it under Configuration.",
  "switched off": "Its algorithms are not followed. Switch it on under Configuration.",
  connected: "QuantConnect is read, all is well.",
  "not connected": "QuantConnect does not answer.",
  waiting: "QuantConnect has not been read yet; that takes a few seconds.",
};

/** How an account stands, in a sentence. */
export function inWords(one: Status): string {
  const stands = standing(one);
  return (stands !== "switched off" && one.last_error) || STANDING[stands];
}

const FIGURES: Record<string, string> = {
  equity: "Equity",
  return: "Return",
  net_profit: "Net profit",
  unrealized: "Unrealised",
  holdings: "Holdings",
  fees: "Fees",
};

/** Figures of a live algorithm by their names, those first that matter most. */
export function figures(performance: Record<string, string> | undefined): [string, string][] {
  return Object.entries(FIGURES)
    .filter(([name]) => performance?.[name] !== undefined)
    .map(([name, label]) => [label, (name === "return" ? percent : money)(performance?.[name])]);
}

/** Parameters as people type them: one `name = value` a line. Throws with the line that is none. */
export function parseParameters(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    const at = line.indexOf("=");
    const name = line.slice(0, at).trim();
    if (at < 1 || !/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(name))
      throw new Error(`Line ${index + 1} is not of the form name = value.`);
    if (name in found) throw new Error(`${name} is named twice.`);
    found[name] = line.slice(at + 1).trim();
  }
  return found;
}

/** Why the text is not a list of parameters, if it is not. */
export function parametersProblem(text: string): string | null {
  try {
    parseParameters(text);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

export const parametersText = (given: Record<string, string> | undefined): string =>
  Object.entries(given ?? {})
    .map(([name, value]) => `${name} = ${value}`)
    .join("\n");

/** A period of a backtest. */
export function period(start: string | null | undefined, end: string | null | undefined): string {
  return start || end ? `${start ?? "its beginning"} – ${end ?? "its end"}` : NONE;
}

type Point = Schemas["PointView"];

/** Points for a chart. */
export const curve = (points: readonly Point[] | undefined) =>
  (points ?? []).map(({ at, value }) => ({ time: Date.parse(at) / 1000, value: Number(value) }));

/** The same, beginning at 100: what two runs can be compared by. */
export function rebased(points: readonly Point[] | undefined) {
  const found = curve(points);
  const first = found[0]?.value;
  return first ? found.map(({ time, value }) => ({ time, value: (100 * value) / first })) : [];
}

/** A benchmark at the size of the equity, so that both fit one axis. */
export function atSizeOf(points: readonly Point[] | undefined, equity: readonly Point[] | undefined) {
  const found = curve(points);
  const [first, start] = [found[0]?.value, Number(equity?.[0]?.value)];
  return first && start ? found.map(({ time, value }) => ({ time, value: (value / first) * start })) : [];
}

/** `algorithm` as one word for the address: account and project. */
export const keyOf = (one: Pick<Algorithm, "id" | "config_id">): string => `${one.config_id}:${one.id}`;

/** The end of a key that is stored. */
export const ending = (hint: string): string => (hint.startsWith("…") ? hint : `…${hint}`);

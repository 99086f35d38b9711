// Days and months as bars: also those in which nothing was asked, so that time runs evenly.

import type { Bar } from "@/components/BarChart";
import { cost } from "@/format";
import type { Cost } from "../queries";
import { plural } from "../terms";

const DAY_MS = 86_400_000;

/** The last so many days or months up to `now`, oldest first, as `2026-11-23` or `2026-11` (UTC). */
export function periods(period: "day" | "month", most: number, now: Date): string[] {
  return Array.from({ length: most }, (_, index) => {
    const back = most - 1 - index;
    if (period === "day") return new Date(now.getTime() - back * DAY_MS).toISOString().slice(0, 10);
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7);
  });
}

/** One bar for each period. */
export function bars(found: readonly Pick<Cost, "period" | "cost_usd" | "decisions" | "calls">[], keys: readonly string[]): Bar[] {
  const known = new Map(found.map((one) => [one.period, one]));
  return keys.map((key) => {
    const one = known.get(key);
    const what = one ? `, ${plural(one.decisions, "decision")}, ${plural(one.calls, "call")}` : "";
    return { label: key, value: Number(one?.cost_usd ?? 0), text: `${cost(one?.cost_usd ?? "0")}${what}` };
  });
}

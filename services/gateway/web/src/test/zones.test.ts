import type { ChartOptions, Time } from "lightweight-charts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Times } from "@/prefs";

const zone = process.env.TZ;
const EVENING = Date.parse("2026-08-03T23:30:05Z") / 1000; // 19:30:05 in New York, where days begin at 4:00 UTC

beforeEach(() => {
  process.env.TZ = "America/New_York";
  vi.resetModules();
});
afterEach(() => {
  process.env.TZ = zone;
  localStorage.clear();
});

/** The page as it is loaded by who prefers these times. */
async function loaded(times: Times) {
  localStorage.setItem("signalbox-times", times);
  const { OPTIONS } = await import("@/components/Chart");
  const { spanOf } = await import("@/components/DateFilter");
  const { dayTime } = await import("@/format");
  const { tokenBody } = await import("@/pages/Settings/Tokens");
  const at = EVENING as Time;
  const options = OPTIONS as ChartOptions;
  const axis = [0, 1, 2, 3, 4].map((kind) => options.timeScale.tickMarkFormatter?.(at, kind, "en"));
  return { label: options.localization.timeFormatter?.(at), axis, day: spanOf("2026-08-03", "2026-08-03"), dayTime, token: tokenBody({ name: "t", scopes: [], day: "2026-08-03" }) };
}

describe("charts, tables and days are in one zone", () => {
  it.each<[Times, string, string[], string, string]>([
    ["local", "03 Aug 19:30:05", ["2026", "Aug 2026", "03 Aug", "19:30", "19:30:05"], "2026-08-03T04:00:00.000Z", "2026-08-04T04:00:00.000Z"],
    ["utc", "03 Aug 23:30:05", ["2026", "Aug 2026", "03 Aug", "23:30", "23:30:05"], "2026-08-03T00:00:00.000Z", "2026-08-04T00:00:00.000Z"],
  ])("%s", async (times, label, axis, from, to) => {
    const found = await loaded(times);
    expect(found.label).toBe(label);
    expect(found.label).toBe(found.dayTime("2026-08-03T23:30:05Z"));
    expect(found.axis).toEqual(axis);
    expect(found.day).toEqual({ from, to });
    expect(found.token.expires_at).toBe(to);
  });
});

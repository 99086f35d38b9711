import { describe, expect, it } from "vitest";
import * as f from "@/format";

describe("numbers", () => {
  it.each([
    [f.money("108757.494"), "$108,757.49"],
    [f.change("812.4"), "+$812.40"],
    [f.change("-0.001"), "$0.00"],
    [f.cost("0.00341"), "$0.0034"],
    [f.cost("12"), "$12.00"],
    [f.price("187.4215"), "187.4215"],
    [f.quantity("0.00012300"), "0.000123"],
    [f.percent("0.01694"), "+1.69%"],
    [f.share("0.724"), "72%"],
    [f.setShare("0.025"), "2.5%"],
    [f.setShare("0.004"), "0.4%"],
    [f.setShare("0.07"), "7%"],
    [f.setShare(null), "–"],
    [f.count(12345), "12,345"],
    [f.money(null), "–"],
    [f.price(""), "–"],
    [f.ratio("not a number"), "–"],
    [f.money("12345678901234567.89"), "$12,345,678,901,234,567.89"],
  ])("%s", (shown, wanted) => expect(shown).toBe(wanted));

  it.each([["3", "up"], ["-3", "down"], ["0", ""], [null, ""]] as const)("%s goes %s", (value, wanted) =>
    expect(f.direction(value)).toBe(wanted),
  );
});

describe("figures of a whole", () => {
  it("a drawdown is a fall", () => expect(["0.0271", "0", null].map(f.fall)).toEqual(["-2.71%", "0.00%", "–"]));
  it("a rate says between which it lies", () => {
    expect(f.within("0.57", "0.48", "0.66")).toBe("57% (48% to 66%)");
    expect(f.within("0", "0", "0.1")).toBe("0% (0% to 10%)");
    expect(f.within(null, null, null)).toBe("–");
  });
});

describe("times and words", () => {
  const now = Date.parse("2026-08-03T16:00:00Z");
  it.each([
    ["2026-08-03T15:59:48Z", "12 s ago"],
    ["2026-08-03T15:30:00Z", "30 min ago"],
    ["2026-08-03T06:00:00Z", "10 h ago"],
    ["2026-07-30T16:00:00Z", "4 days ago"],
    [null, "never"],
  ])("%s was %s", (at, wanted) => expect(f.ago(at, now)).toBe(wanted));

  it("says the full time in UTC", () => expect(f.utc("2026-08-03T16:00:05.123Z")).toBe("2026-08-03 16:00:05 UTC"));
  it("says spans in the unit that fits", () => expect([90, 900, 14_400, 432_000].map(f.span)).toEqual(["90 s", "15 min", "4 h", "5 days"]));
  it("says how long something took", () => expect([12.1, 1440, null].map(f.took)).toEqual(["12 ms", "1.4 s", "–"]));
  it("names sources", () => expect(f.source("llm", "demo")).toBe("AI demo"));
  it("makes words of codes", () => expect(f.sentence("partially_filled")).toBe("Partially filled"));
});

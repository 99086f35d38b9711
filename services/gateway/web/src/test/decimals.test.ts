import { describe, expect, it } from "vitest";
import { fromPercent, plain, shift, toPercent } from "@/decimals";

describe("fractions as per cent", () => {
  it.each([
    ["0.03", "3"],
    ["0.005", "0.5"],
    ["1", "100"],
    ["0", "0"],
    ["0.123456789012345678", "12.3456789012345678"],
    ["-0.2", "-20"],
    [".5", "50"],
  ])("%s is %s per cent, and back", (fraction, percent) => {
    expect(toPercent(fraction)).toBe(percent);
    expect(Number(fromPercent(percent))).toBe(Number(fraction));
  });

  it("loses no digit on the way back", () => expect(fromPercent("12.3456789012345678")).toBe("0.123456789012345678"));
  it("leaves alone what is no number", () => expect(shift("a lot", 2)).toBe("a lot"));
  it.each([
    [" 10,000 ", "10000"],
    ["1,234,567.50", "1234567.50"],
    ["1 000", "1000"],
    ["2,5", "2,5"],
    ["2,50", "2,50"],
    ["1,0000", "1,0000"],
    ["1.000,5", "1.000,5"],
  ])("takes %s as %s", (typed, number) => expect(plain(typed)).toBe(number));
});

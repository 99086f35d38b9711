import { describe, expect, it } from "vitest";
import { isLive } from "@/standing";
import type { Algorithm, Status } from "./queries";
import { atSizeOf, byState, figures, inWords, parametersProblem, parseParameters, period, rebased, statusCode, upToDate } from "./words";

const algorithm = (over: Partial<Algorithm> = {}): Algorithm => ({
  id: "1", config_id: "demo", name: "Trend", status: "Running", fetched_at: "2026-08-03T16:00:00Z", ...over,
});
const status = (over: Partial<Status> = {}): Status => ({
  config_id: "demo", name: "Demo", target: "sandbox", is_active: true, connected: true, ...over,
});

describe("parameters", () => {
  it("are read line by line, with = allowed in a value", () => {
    expect(parseParameters("lookback = 5\n\n rule=a=b ")).toEqual({ lookback: "5", rule: "a=b" });
    expect(parseParameters("")).toEqual({});
  });
  it.each([
    ["lookback", "Line 1 is not of the form name = value."],
    ["a = 1\n= 2", "Line 2 is not of the form name = value."],
    ["1a = 1", "Line 1 is not of the form name = value."],
    ["a = 1\na = 2", "a is named twice."],
  ])("%j is refused in words", (text, words) => expect(parametersProblem(text)).toBe(words));
});

describe("states", () => {
  it.each([
    ["Running", true, "running"],
    ["LoggingIn", true, "deploying"],
    ["RuntimeError", false, "runtime_error"],
    ["Liquidated", false, "liquidated"],
    ["Not deployed", false, "not_deployed"],
  ])("%s", (state, live, code) => {
    expect(isLive({ status: state })).toBe(live);
    expect(statusCode(state)).toBe(code);
  });
  it("of an account is a sentence, and never only a colour", () => {
    expect(inWords(status())).toMatch(/all is well/);
    expect(inWords(status({ connected: false, last_error: "down" }))).toBe("down");
    expect(inWords(status({ connected: false }))).toMatch(/not been read yet/);
    expect(inWords(status({ connected: false, last_ok_at: "2026-08-03T16:00:00Z" }))).toMatch(/does not answer/);
    expect(inWords(status({ is_active: false, last_error: "down" }))).toMatch(/not followed/);
    expect(inWords(status({ last_error: "project 7: deleted" }))).toBe("project 7: deleted");
  });
  it("what was heard later counts, what was heard earlier does not", () => {
    const heard = (at: string) => [status({ algorithms: [algorithm({ status: "Stopped", fetched_at: at })] })];
    expect(upToDate([algorithm()], heard("2026-08-03T16:00:01Z"))[0]?.status).toBe("Stopped");
    expect(upToDate([algorithm()], heard("2026-08-03T15:59:59Z"))[0]?.status).toBe("Running");
    expect(upToDate([algorithm({ config_id: "other" })], heard("2026-08-03T17:00:00Z"))[0]?.status).toBe("Running");
  });
  it("those that run come first", () => {
    const rows = [algorithm({ name: "A", status: "Stopped" }), algorithm({ name: "C" }), algorithm({ name: "B" })];
    expect(rows.sort(byState).map((one) => one.name)).toEqual(["B", "C", "A"]);
  });
});

describe("figures", () => {
  it("are formatted by what they are", () =>
    expect(figures({ return: "0.0012", equity: "100120.5", odd: "1" })).toEqual([["Equity", "$100,120.50"], ["Return", "+0.12%"]]));
  it("a period names its open ends", () => {
    expect(period("2025-01-02", null)).toBe("2025-01-02 – its end");
    expect(period(null, null)).toBe("–");
  });
});

describe("curves", () => {
  const points = [{ at: "2026-01-01T00:00:00Z", value: "200" }, { at: "2026-01-02T00:00:00Z", value: "300" }];
  it("begin at 100 when two runs are compared", () => expect(rebased(points).map((one) => one.value)).toEqual([100, 150]));
  it("a benchmark begins where the equity does", () =>
    expect(atSizeOf(points, [{ at: "", value: "1000" }]).map((one) => one.value)).toEqual([1000, 1500]));
  it("nothing is made of nothing", () => {
    expect(rebased([])).toEqual([]);
    expect(atSizeOf(points, [])).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import * as backtest from "./backtests/form";
import { choose } from "./backtests/History";
import { amount, better, ordered } from "./backtests/statistics";
import * as account from "./configuration/form";
import type { Backtest, Config } from "./queries";
import { fileOf } from "@/components/DataTable";
import { queryOf } from "./signals/filters";

const stored: Config = {
  id: "desk", name: "Desk", api_key_hint: "…56", api_secret_hint: "…9f", api_secret_at: null, target: "real", algorithm_id: 77,
  algorithm_name: "Trend", is_active: true, signals_from: "fills", default_confidence: "0.5", max_age_s: 1200,
  created_at: "2026-08-03T16:00:00Z", updated_at: "2026-08-03T16:00:00Z",
};
const filled: account.Given = { ...account.EMPTY, name: " Desk ", api_key: " 123 ", api_secret: "abc " };

describe("an account", () => {
  it("is sent without an id when it is new, and units are the interface's", () =>
    expect(account.body({ ...filled, confidence_percent: "55", max_age_minutes: "0.5" }, null, String)).toEqual({
      name: "Desk", api_key: "123", api_secret: "abc", target: "real", algorithm_id: null, algorithm_name: "",
      signals_from: "insights", default_confidence: "0.55", max_age_s: 30, is_active: true,
    }));
  it("is sent without keys when they stay, and without what nobody touched", () => {
    const before = account.given(stored);
    const sent = (over: Partial<account.Given>) => account.body({ ...before, ...over }, stored, () => "Swing");
    expect(sent({})).toEqual({ id: "desk" });
    expect(sent({ max_age_minutes: "5" })).toEqual({ id: "desk", max_age_s: 300 });
    expect(sent({ algorithm: "78" })).toEqual({ id: "desk", algorithm_id: 78, algorithm_name: "Swing" });
    expect(sent({ algorithm: null })).toEqual({ id: "desk", algorithm_id: null, algorithm_name: "" });
  });
  it("shows its confidence as per cent without the noise of floating point", () =>
    expect(account.given({ ...stored, default_confidence: "0.07" }).confidence_percent).toBe("7"));
  it.each([
    ["nothing is given", account.EMPTY, null, ["name", "api_key", "api_secret"]],
    ["all is given", filled, null, []],
    ["keys stay", account.given(stored), stored, []],
    ["another user id comes without its token", { ...account.given(stored), api_key: "9" }, stored, ["api_secret"]],
    ["another target comes without its token", { ...account.given(stored), target: "sandbox" as const }, stored, ["api_secret"]],
    ["numbers are emptied", { ...filled, confidence_percent: "", max_age_minutes: "" }, null, ["confidence_percent", "max_age_minutes"]],
    ["numbers are out of range", { ...filled, confidence_percent: "101", max_age_minutes: "0" }, null, ["confidence_percent", "max_age_minutes"]],
  ])("when %s", (_case, values, before, wrong) => expect(Object.keys(account.problems(values, before))).toEqual(wrong));
  it("takes the interface's complaints at its own fields", () =>
    expect(["body.max_age_s", "algorithm_id", "api_key"].map(account.fieldOf)).toEqual(["max_age_minutes", "algorithm", "api_key"]));
});

describe("a backtest", () => {
  const given = { ...backtest.EMPTY, algorithm: "desk:23456781" };
  it("is sent without what was left empty", () =>
    expect(backtest.body(given)).toEqual({ algorithm_id: 23456781, config: "desk", parameters: {} }));
  it("is sent with what was filled in", () =>
    expect(backtest.body({ ...given, name: " Spring ", start: "2025-02-03", end: "2025-03-01", parameters: "lookback = 5" })).toEqual({
      algorithm_id: 23456781, config: "desk", name: "Spring", start: "2025-02-03", end: "2025-03-01", parameters: { lookback: "5" },
    }));
  it.each([
    [backtest.EMPTY, ["algorithm"]],
    [{ ...given, start: "2025-03-01", end: "2025-02-01" }, ["end"]],
    [{ ...given, parameters: "lookback" }, ["parameters"]],
    [given, []],
  ])("%j", (values, wrong) => expect(Object.keys(backtest.problems(values))).toEqual(wrong));
  it("can be run once more as it was", () => {
    const one = { id: "b", config_id: "desk", algorithm_id: "7", name: "Spring", start: "2025-02-03", parameters: { fast: "5" } };
    expect(backtest.body(backtest.again(one as unknown as Backtest))).toEqual({
      algorithm_id: 7, config: "desk", name: "Spring", start: "2025-02-03", parameters: { fast: "5" },
    });
  });
});

describe("comparing", () => {
  it("takes the last two that were ticked", () => {
    expect(choose(["a"], "b")).toEqual(["a", "b"]);
    expect(choose(["a", "b"], "c")).toEqual(["b", "c"]);
    expect(choose(["a", "b"], "a")).toEqual(["b"]);
  });
  it.each([
    ["Net Profit", "0.5%", "-1%", 0],
    ["Drawdown", "2.7%", "1.1%", 1],
    ["End Equity", "$100,540.52", "99000", 0],
    ["Beta", "1", "2", null],
    ["Sharpe Ratio", "1", "1.0", null],
    ["Sharpe Ratio", "-", "1", null],
    ["My Own Figure", "1", "2", null],
  ])("%s: %s or %s", (name, first, second, best) => expect(better(name, first, second)).toBe(best));
  it("puts the important ones first and loses none", () =>
    expect(ordered({ Odd: "1", Drawdown: "2" }, { "Net Profit": "3", Odd: "4" })).toEqual(["Net Profit", "Drawdown", "Odd"]));
  it("reads amounts", () => expect([amount("$1,000.5"), amount("-2.5 %"), amount("AAPL"), amount("")]).toEqual([1000.5, -2.5, null, null]));
});

describe("filters of signals", () => {
  it("are the interface's own", () => {
    expect(queryOf({ symbol: "aapl", action: "buy", processed: "no" })).toMatchObject({ symbol: "AAPL", action: "buy", processed: false });
    expect(queryOf({ action: "dance", processed: "maybe" })).toMatchObject({ action: undefined, processed: undefined });
  });
  it("take whole days, the last one included", () => {
    const { from, to } = queryOf({ from: "2026-08-03", to: "2026-08-03" });
    expect(Date.parse(to ?? "") - Date.parse(from ?? "")).toBe(86_400_000);
    expect(queryOf({ from: "soon" }).from).toBeUndefined();
  });
  it("go into the file too", () => expect(fileOf("/api/quantconnect/signals.csv", queryOf({ symbol: "AAPL", processed: "no" }))).toBe("/api/quantconnect/signals.csv?symbol=AAPL&processed=false"));
});

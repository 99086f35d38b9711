import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import { Refresher, topicsOf } from "@/api/live";

describe("topicsOf", () => {
  it.each([
    ["VerdictReached", {}, ["verdicts", "quantconnect-signals", "chain"]],
    ["OrderChanged", { fill: null }, ["orders", "chain"]],
    ["OrderChanged", { fill: { fill_id: "f" } }, ["orders", "chain", "trades", "performance", "llm-costs"]],
    ["SignalWithdrawn", {}, ["signals", "quantconnect-signals", "chain"]],
    ["OutcomeScored", {}, ["calibration", "chain"]],
    ["LlmDecisionMade", {}, ["llm-decisions", "llm-costs", "llm-status", "performance", "chain"]],
    ["StateChanged", { service: "strategy-runner", kind: "strategy" }, ["strategies"]],
    ["StateChanged", { service: "qc-ingest", kind: "backtest" }, ["backtests"]],
    ["StateChanged", { service: "qc-ingest", kind: "job" }, ["jobs", "algorithms"]],
    ["StateChanged", { service: "qc-ingest", kind: "algorithm" }, ["quantconnect-status", "algorithms"]],
    ["StateChanged", { service: "qc-ingest", kind: "connection" }, ["quantconnect-status"]],
    ["StateChanged", { service: "llm-decider", kind: "connection" }, ["llm-status", "llm-budgets"]],
    ["StateChanged", { service: "nobody" }, []],
    ["SomethingNew", {}, []],
  ])("%s %o touches %o", (kind, data, topics) => {
    expect(topicsOf({ kind, data })).toEqual(topics);
  });

  it("refreshes the kill switch when something was configured", () => {
    expect(topicsOf({ kind: "ConfigurationChanged", data: {} })).toContain("kill-switch");
  });
});

describe("Refresher", () => {
  const watching = () => {
    const client = new QueryClient();
    const read = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    return { client, read, refresher: new Refresher(client), topics: () => read.mock.calls.map(([filter]) => filter?.queryKey?.[0]) };
  };

  it("reads a topic once for many events", () => {
    const { refresher, topics } = watching();
    refresher.add(["orders", "trades"]);
    refresher.add(["orders"]);
    refresher.flush(0);
    refresher.flush(250);
    expect(topics()).toEqual(["orders", "trades"]);
  });

  it("waits while a topic is being read, and does not forget it", () => {
    const { client, refresher, topics } = watching();
    const busy = vi.spyOn(client, "isFetching").mockReturnValue(1);
    refresher.add(["orders"]);
    refresher.flush(0);
    expect(topics()).toEqual([]);
    busy.mockReturnValue(0);
    refresher.flush(250);
    expect(topics()).toEqual(["orders"]);
  });

  it("reads what is dear not more often than it bears", () => {
    const { refresher, topics } = watching();
    for (const now of [0, 500, 1000, 2000]) {
      refresher.add(["performance"]);
      refresher.flush(now);
    }
    expect(topics()).toEqual(["performance", "performance"]);
  });
});

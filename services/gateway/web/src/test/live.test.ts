import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refresher, topicsOf } from "@/api/live";

describe("topicsOf", () => {
  it.each([
    ["VerdictReached", {}, ["verdicts", "quantconnect-signals", "chain"]],
    ["OrderChanged", { fill: null }, ["orders", "chain"]],
    ["OrderChanged", { fill: { fill_id: "f" } }, ["orders", "chain", "trades", "performance", "llm-costs"]],
    ["SignalWithdrawn", {}, ["signals", "quantconnect-signals", "chain"]],
    ["OutcomeScored", {}, ["calibration", "prompts", "chain"]],
    ["LlmDecisionMade", {}, ["llm-decisions", "llm-costs", "llm-status", "performance", "prompts", "chain"]],
    ["StateChanged", { service: "strategy-runner", kind: "strategy" }, ["strategies"]],
    ["StateChanged", { service: "qc-ingest", kind: "backtest" }, ["backtests"]],
    ["StateChanged", { service: "qc-ingest", kind: "job" }, ["jobs", "algorithms"]],
    ["StateChanged", { service: "qc-ingest", kind: "algorithm" }, ["quantconnect-status", "algorithms"]],
    ["StateChanged", { service: "qc-ingest", kind: "connection" }, ["quantconnect-status"]],
    ["StateChanged", { service: "llm-decider", kind: "connection" }, ["llm-status", "llm-budgets"]],
    ["AlertRaised", { code: "key_halted" }, ["alerts"]],
    ["AlertRaised", { code: "dead_letter" }, ["alerts", "dead-letters"]],
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
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** What is read when, in milliseconds from now; each read takes so long. */
  const watching = (tookMs = 20) => {
    const client = new QueryClient();
    const began = performance.now();
    const reads: [string, number][] = [];
    vi.spyOn(client, "invalidateQueries").mockImplementation((filter) => {
      reads.push([String(filter?.queryKey?.[0]), performance.now() - began]);
      return new Promise((done) => setTimeout(done, tookMs));
    });
    return { client, refresher: new Refresher(client), reads };
  };
  /** One event every so many milliseconds, for so long, and then none. */
  const tell = async (refresher: Refresher, topic: string, { everyMs, forMs }: { everyMs: number; forMs: number }) => {
    for (let at = 0; at < forMs; at += everyMs) {
      refresher.add([topic]);
      await vi.advanceTimersByTimeAsync(everyMs);
    }
    await vi.advanceTimersByTimeAsync(60_000);
  };

  it("reads a topic once for events that come together", async () => {
    const { refresher, reads } = watching();
    refresher.add(["orders", "trades"]);
    refresher.add(["orders"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads).toEqual([["orders", 50], ["trades", 50]]);
  });

  it("waits while a topic is being read, then reads it at once", async () => {
    const { client, refresher, reads } = watching();
    const busy = vi.spyOn(client, "isFetching").mockReturnValue(1);
    refresher.add(["orders"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(reads).toEqual([]);
    busy.mockReturnValue(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads).toEqual([["orders", 1050]]);
  });

  it.each(["positions", "performance", "llm-costs", "calibration", "summary", "orders", "verdicts"])(
    "reads %s at once after a first event, and within little more than half a second after the last of many",
    async (topic) => {
      const { refresher, reads } = watching(100);
      await tell(refresher, topic, { everyMs: 10, forMs: 1240 });
      const times = reads.map(([, at]) => at);
      expect(times[0]).toBe(50);
      expect(times.at(-1)).toBeGreaterThanOrEqual(1230); // what came last is read too
      expect(times.at(-1)).toBeLessThanOrEqual(1230 + 550);
    },
  );

  it.each([
    ["positions", 20, 20],
    ["orders", 20, 40],
    ["performance", 1000, 4], // a slow read: a third of the time, not all of it
  ])("a storm of events reads %s of %i ms about %i times in ten seconds", async (topic, tookMs, times) => {
    const { refresher, reads } = watching(tookMs);
    await tell(refresher, topic, { everyMs: 10, forMs: 10_000 });
    expect(Math.abs(reads.length - times)).toBeLessThanOrEqual(2);
  });

  it("reads again a few seconds after a read that took a minute", async () => {
    const { refresher, reads } = watching(60_000);
    refresher.add(["orders"]);
    await vi.advanceTimersByTimeAsync(1000);
    refresher.add(["orders"]);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(reads).toEqual([["orders", 50], ["orders", 65_050]]);
  });

  it("sleeps while a topic rests, and answers another one meanwhile", async () => {
    const { refresher, reads } = watching();
    refresher.add(["equity"]);
    await vi.advanceTimersByTimeAsync(100);
    const timers = vi.spyOn(window, "setTimeout");
    refresher.add(["equity"]);
    await vi.advanceTimersByTimeAsync(1000);
    refresher.add(["orders"]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(reads).toEqual([["equity", 50], ["orders", 1150], ["equity", 5050]]);
    expect(timers.mock.calls.filter(([, wait]) => wait !== 20).length).toBeLessThanOrEqual(4); // without the reads themselves
    timers.mockRestore();
  });

  it("forgets what is due when it is stopped", async () => {
    const { refresher, reads } = watching();
    refresher.add(["orders"]);
    refresher.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads).toEqual([]);
    refresher.add(["orders"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads).toHaveLength(1);
  });
});

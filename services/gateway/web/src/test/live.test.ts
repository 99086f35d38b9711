import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import { applyEquity, Refresher, topicsOf } from "@/api/live";

describe("topicsOf", () => {
  it.each([
    ["VerdictReached", {}, ["verdicts", "quantconnect-signals", "chain"]],
    ["OrderChanged", { fill: null }, ["orders", "chain"]],
    ["OrderChanged", { fill: { fill_id: "f" } }, ["orders", "chain", "trades", "performance"]],
    ["StateChanged", { service: "strategy-runner" }, ["strategies"]],
    ["StateChanged", { service: "nobody" }, []],
    ["SomethingNew", {}, []],
  ])("%s %o touches %o", (kind, data, topics) => {
    expect(topicsOf({ kind, data })).toEqual(topics);
  });

  it("refreshes the kill switch when something was configured", () => {
    expect(topicsOf({ kind: "ConfigurationChanged", data: {} })).toContain("kill-switch");
  });
});

describe("applyEquity", () => {
  const marked = (bot: string, equity: string) => ({ kind: "EquityMarked", data: { bot, equity } });

  it("puts the newest equity of each bot in its place", () => {
    const client = new QueryClient();
    client.setQueryData(["equity", "now"], { items: [{ bot: "a", equity: "1" }, { bot: "b", equity: "2" }] });
    applyEquity(client, [marked("a", "3"), marked("a", "4"), marked("c", "9")]);
    expect(client.getQueryData(["equity", "now"])).toEqual({ items: [{ bot: "a", equity: "4" }, { bot: "b", equity: "2" }] });
  });

  it("makes nothing up where nothing was read yet", () => {
    const client = new QueryClient();
    applyEquity(client, [marked("a", "3")]);
    expect(client.getQueryData(["equity", "now"])).toBeUndefined();
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

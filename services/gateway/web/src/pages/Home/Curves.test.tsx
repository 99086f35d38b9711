import { screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { useLive } from "@/api/live";
import type { Series } from "@/components/Chart";
import { problem, show } from "@/test/render";
import { streaming } from "@/test/stream";
import { Curves, joined } from "./Curves";

vi.mock("@/components/Chart", () => ({
  Chart: ({ series }: { series: Series[] }) => <p>{series.map(({ name, points }) => `${name} ${points.map(({ value }) => value).join(" ")}`).join("; ")}</p>,
}));

const mark = (minute: string, equity: string, more: object = {}) => ({
  bot: "demo", account: "demo", at: `2026-08-03T16:${minute}Z`, equity, cash: "0", exposure_gross: "0", exposure_net: "0", realised_pnl: "0",
  unrealised_pnl: "0", fees: "0", drawdown: "0", ...more,
});

function Shown() {
  useLive();
  return <Curves bot="demo" known />;
}

it("a mark is on the curve with its event, also while the curve cannot be read again", async () => {
  const { newest } = streaming();
  const items = [mark("01:00", "120"), mark("00:00", "100")];
  let reads = 0;
  show(<Shown />, { "GET /api/equity": () => (reads++ === 0 ? { items } : problem(503, "busy")), "GET /api/market": { now: "2026-08-03T16:00:00Z" } });
  await screen.findByText("Equity 100 120; Drawdown 0 0");
  newest().tell("EquityMarked", mark("02:00", "90"));
  newest().tell("EquityMarked", mark("03:00", "7", { bot: "another" }));
  await screen.findByText("Equity 100 120 90; Drawdown 0 0 -0.25");
  newest().tell("EquityMarked", mark("03:00", "150"));
  await screen.findByText("Equity 100 120 90 150; Drawdown 0 0 -0.25 0");
});

it("a read that began before a mark does not take it back, and what comes while nobody looks is left to the next read", async () => {
  const { newest } = streaming();
  const items = [mark("01:00", "120"), mark("00:00", "100")];
  const answers: ((answer: Response) => void)[] = [];
  show(<Shown />, { "GET /api/equity": () => new Promise<Response>((done) => answers.push(done)), "GET /api/market": { now: "2026-08-03T16:00:00Z" } });
  await waitFor(() => expect(answers).toHaveLength(1));
  answers[0]?.(Response.json({ items }));
  await screen.findByText("Equity 100 120; Drawdown 0 0");
  newest().tell("EquityMarked", mark("02:00", "90"));
  await screen.findByText("Equity 100 120 90; Drawdown 0 0 -0.25");
  await waitFor(() => expect(answers).toHaveLength(2));
  newest().tell("EquityMarked", mark("03:00", "60"));
  answers[1]?.(Response.json({ items: [mark("02:00", "90", { drawdown: "0.25" }), mark("01:30", "110"), ...items] }));
  await screen.findByText("Equity 100 120 110 90 60; Drawdown 0 0 0 -0.25 -0.5");
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  newest().tell("EquityMarked", mark("04:00", "1"));
  hidden.mockReturnValue(false);
  newest().tell("EquityMarked", mark("05:00", "150"));
  await screen.findByText("Equity 100 120 110 90 60 150; Drawdown 0 0 0 -0.25 -0.5 0");
  hidden.mockRestore();
});

it("a mark of another account or bot, or one that comes late, leaves the curve as it is", () => {
  const items = [mark("02:00.5", "90"), mark("00:00", "100")];
  for (const other of [mark("03:00", "95", { account: "left" }), mark("03:00", "95", { bot: "another" }), mark("02:00", "95"), mark("02:00.5", "90")])
    expect(joined(items, [other])).toEqual(items);
  expect(joined([], [mark("00:00", "0")])).toMatchObject([{ equity: "0", drawdown: "0" }]);
});

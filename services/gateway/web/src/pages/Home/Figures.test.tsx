import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { show } from "@/test/render";
import { Figures } from "./Figures";
import { useSummary } from "./queries";

const TOTAL = { equity: "1", pnl_today: "0", unrealised_pnl: "0", open_positions: 0, exposure_gross: "0" };
const bot = (id: string, enabled = true) => ({ id, account: `of-${id}`, enabled });
const NOTHING = { everything: false, accounts: [], bots: [] };

function Shown() {
  return <Figures summary={useSummary()} />;
}

describe("trading", () => {
  it.each([
    ["all may", [bot("a"), bot("b")], NOTHING, [], "On2 may trade"],
    ["every bot is switched off", [bot("a", false)], NOTHING, [], "Off0 may trade, 1 switched off"],
    ["one is switched off", [bot("a"), bot("b", false)], NOTHING, [], "On1 may trade, 1 switched off"],
    ["everything is stopped", [bot("a")], { ...NOTHING, everything: true }, [], "Stopped0 may trade, 1 stopped"],
    ["an account is stopped", [bot("a"), bot("b")], { ...NOTHING, accounts: ["of-a"] }, [], "Partly1 may trade, 1 stopped"],
    ["one is halted", [bot("a"), bot("b")], NOTHING, ["bot:a"], "Partly1 may trade, 1 halted"],
    ["the clock stands still", [bot("a")], NOTHING, [], "Waitingthe clock stands still", true],
    ["there is no bot", [], NOTHING, [], "OffCreate a bot"],
  ])("when %s", async (_when, bots, kill, halted, wanted, frozen = false) => {
    show(<Shown />, {
      "GET /api/equity/today": { total: TOTAL, bots: [], day: "2026-08-03" },
      "GET /api/bots": { items: bots },
      "GET /api/kill-switch": kill,
      "GET /api/market": { now: "2026-08-03T16:00:00Z", frozen },
      "GET /api/alerts": (_body: unknown, url: URL) => ({
        items: ["bot_halted", "books_mismatch"].every((code) => url.searchParams.getAll("code").includes(code)) && url.searchParams.get("active") === "true" ? halted.map((about) => ({ about })) : [],
      }),
    });
    await waitFor(() => expect(screen.getByRole("region", { name: "Trading" })).toHaveTextContent(wanted));
  });
});

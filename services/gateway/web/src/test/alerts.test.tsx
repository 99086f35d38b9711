import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Spending } from "@/pages/AiTrading/overview/Spending";
import { Alerts as Told } from "@/pages/Activity/Alerts";
import { Alerts } from "@/pages/Home/Alerts";
import { Halts } from "@/pages/Settings/limits/Halts";
import { problem, sent, show } from "./render";

const AT = "2026-08-03T16:00:00Z";
const alert = (code: string, about: string, number = 0) => ({
  id: `${code}-${number}`, severity: "warning", code, about, message: `About ${about}.`, service: "executor", active: true, at: AT,
});
const NEWER = Array.from({ length: 300 }, (_, number) => alert("source_down", "quantconnect:demo", number));
const ALL = [...NEWER, alert("key_halted", "key:demo/AAPL"), alert("budget_80", "budget:total:day")];

/** As the gateway answers: of these codes the newest. */
const alerts = (_: unknown, url: URL) => {
  const codes = url.searchParams.getAll("code");
  const limit = Number(url.searchParams.get("limit"));
  const found = ALL.filter((one) => codes.length === 0 || codes.includes(one.code));
  return { items: found.slice(0, limit), next_cursor: found.length > limit ? "more" : null };
};
const ANSWERS = { "GET /api/alerts": alerts, "GET /api/bots": { items: [] }, "GET /api/ai-trading/budgets": { items: [] } };

describe("behind three hundred newer alerts", () => {
  it("a halt is still shown", async () => {
    show(<Halts />, ANSWERS);
    expect(await screen.findByText("About key:demo/AAPL.")).toBeInTheDocument();
  });

  it("a budget's alert is still shown", async () => {
    show(<Spending />, ANSWERS);
    expect(await screen.findByText("About budget:total:day.")).toBeInTheDocument();
  });

  it("the overview says that there are more, and where", async () => {
    show(<Alerts />, ANSWERS);
    expect(await screen.findByText(/These are the newest 20/)).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "see all" })).toHaveAttribute("href", "/activity/alerts?active=true");
  });
});

it("no budget is said to be far off while nobody knows", async () => {
  show(<Spending />, { ...ANSWERS, "GET /api/alerts": () => problem(503, "the database is away"), "GET /api/ai-trading/budgets": { items: [{ scope: "total", period: "day", key: "2026-08-03", limit_usd: "2", spent_usd: "0", reserved_usd: "0", unknown_usd: "0", left_usd: "2" }] } });
  await screen.findByText("Today");
  expect(screen.queryByText(/No budget has reached/)).not.toBeInTheDocument();
});

describe("a message that was set aside", () => {
  const LETTER = {
    id: "l1", service: "executor", stream: "VERDICTS", stream_sequence: 7, original_subject: "sb.v1.verdicts.demo.AAPL", message_id: "m1",
    attempts: 10, reason: "no such symbol", original: "{}", at: AT, active: true,
  };
  const me = (role: string) => ({ "GET /api/auth/me": { username: "t", role, expires_at: "2027-01-01T00:00:00Z" } });
  const opened = async (role: string) => {
    vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(400);
    vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(800);
    let letter = LETTER;
    const settle = () => (letter = { ...LETTER, active: false });
    show(<Told />, {
      ...ANSWERS, ...me(role), "GET /api/dead-letters": () => ({ items: [letter], next_cursor: null }), "POST /api/dead-letters/l1/settle": settle,
    });
    await userEvent.click(await screen.findByRole("row", { name: /no such symbol/ }));
    return within(await screen.findByRole("dialog"));
  };

  it("waits until a trader has seen to it", async () => {
    const dialog = await opened("trader");
    await userEvent.click(await dialog.findByRole("button", { name: "I have seen to it" }));
    expect(await screen.findByText("Settled", { selector: "[role=row] *" })).toBeInTheDocument();
    expect(sent("POST")).toHaveLength(1);
  });

  it("is only read by a viewer", async () => {
    const dialog = await opened("viewer");
    expect(dialog.getAllByText("no such symbol")).not.toHaveLength(0);
    expect(dialog.queryByRole("button", { name: "I have seen to it" })).not.toBeInTheDocument();
  });
});

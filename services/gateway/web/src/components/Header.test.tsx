import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Notifications, notifications } from "@mantine/notifications";
import { describe, expect, it } from "vitest";
import { useLive } from "@/api/live";
import { useBots } from "@/api/shared";
import { problem, sent, show } from "@/test/render";
import { streaming } from "@/test/stream";
import { Header, Modes } from "./Header";
import { Loaded } from "./Loaded";

const MARKET = { now: "2026-08-03T16:00:00Z", replay: true, speed: 60, frozen: false };
const PAPER = { items: [{ id: "p", mode: "paper" }] };
const ME = { username: "ann", role: "viewer" };

function Whole() {
  useLive();
  const bots = useBots();
  return (
    <>
      <Header opened={false} toggle={() => undefined} />
      <Notifications />
      <Loaded query={bots} height={10}>{({ items }) => <p>{items.length} bots</p>}</Loaded>
      <button type="button" onClick={() => void bots.refetch()}>Look</button>
    </>
  );
}

describe("the header", () => {
  it.each(["market", "accounts"])("says that the mode is unknown when /api/%s fails", async (broken) => {
    const answers = { "GET /api/market": MARKET, "GET /api/accounts": PAPER };
    show(<Modes />, { ...answers, [`GET /api/${broken}`]: () => problem(500, "no database") });
    expect(await screen.findByText("Mode unknown")).toBeInTheDocument();
  });

  it("says nothing of the kind when both were read", async () => {
    show(<Modes />, { "GET /api/market": MARKET, "GET /api/accounts": PAPER });
    expect(await screen.findByText("Paper")).toBeInTheDocument();
    expect(screen.queryByText("Mode unknown")).not.toBeInTheDocument();
  });

  it.each([
    ["a bot on a live account", [{ id: "p", mode: "paper" }, { id: "l", mode: "live", bot: "alpha" }], ["Replay ×60", "Paper", "Live money"]],
    ["a live account that no bot has", [{ id: "p", mode: "paper" }, { id: "l", mode: "live", bot: null }], ["Replay ×60", "Paper"]],
    ["live accounts alone", [{ id: "l", mode: "live", bot: "alpha" }], ["Replay ×60", "Live money"]],
  ])("with %s shows its badges", async (_what, items, badges) => {
    const { container } = show(<Modes />, { "GET /api/market": MARKET, "GET /api/accounts": { items } });
    await screen.findByText(badges.at(-1) ?? "");
    await screen.findByText(/^Replay/);
    expect([...container.querySelectorAll(".mode")].map((badge) => badge.textContent)).toEqual(badges);
  });

  it("is not green while what is shown cannot be read again, and the panel says since when", async () => {
    const { newest } = streaming();
    let fails = false;
    const bots = () => (fails ? problem(500, "no database") : { items: [{}] });
    show(<Whole />, { "GET /api/auth/me": ME, "GET /api/market": MARKET, "GET /api/accounts": PAPER, "GET /api/bots": bots });
    expect(await screen.findByText("1 bots")).toBeInTheDocument();
    newest().tell("hello");
    expect(await screen.findByRole("status", { name: "Connection: Live" })).toBeInTheDocument();
    fails = true;
    await userEvent.click(screen.getByRole("button", { name: "Look" }));
    expect(await screen.findByRole("status", { name: "Connection: Not up to date" })).toBeInTheDocument();
    expect(screen.getByText(/^Not up to date since \d\d \w+ \d\d:\d\d/)).toBeInTheDocument();
    expect(screen.getByText("1 bots")).toBeInTheDocument();
    fails = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("status", { name: "Connection: Live" })).toBeInTheDocument();
    expect(screen.queryByText(/Not up to date/)).not.toBeInTheDocument();
  });

  it("takes alerts away with the person", async () => {
    streaming();
    show(<Whole />, { "GET /api/auth/me": ME, "POST /api/auth/logout": () => new Response(null, { status: 204 }) });
    notifications.show({ message: "bot demo is halted", autoClose: false });
    expect(await screen.findByText("bot demo is halted")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Account" }));
    await userEvent.click(within(await screen.findByRole("menu")).getByRole("menuitem", { name: "Sign out" }));
    await waitFor(() => expect(screen.queryByText("bot demo is halted")).not.toBeInTheDocument());
    expect(sent("POST").map((one) => one.path)).toEqual(["/api/auth/logout"]);
  });
});

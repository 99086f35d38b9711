import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { problem, sent, show } from "@/test/render";
import { KillSwitchBanner, KillSwitchButton } from "./KillSwitch";

const me = (role: string) => ({ "GET /api/auth/me": { username: "ann", role } });
const NOTHING = { everything: false, accounts: [], bots: [], reason: "" };
const press = async (name: string) => userEvent.click(await screen.findByRole("button", { name }));

async function stop(): Promise<void> {
  await press("Kill switch");
  const dialog = within(await screen.findByRole("dialog"));
  await userEvent.type(dialog.getByRole("textbox", { name: /Type STOP/ }), "STOP{Enter}");
}

describe("the kill switch", () => {
  it("is there and works when it could not be read at first", async () => {
    let fails = true;
    const read = () => (fails ? problem(500, "no database") : { ...NOTHING, bots: ["b"] });
    show(<><KillSwitchButton /><KillSwitchBanner /></>, { ...me("trader"), "GET /api/kill-switch": read, "PUT /api/kill-switch": NOTHING });
    expect(await screen.findByRole("alert")).toHaveTextContent("It is unknown whether trading is stopped");
    expect(screen.getByRole("button", { name: "Kill switch" })).toBeEnabled();
    fails = false;
    await stop();
    await waitFor(() => expect(sent("PUT")[0]?.body).toEqual({ everything: true, accounts: [], bots: ["b"], reason: "" }));
  });

  it("leaves alone what somebody else has stopped since this page has looked", async () => {
    let now: object = NOTHING;
    show(<KillSwitchButton />, { ...me("trader"), "GET /api/kill-switch": () => now, "PUT /api/kill-switch": NOTHING });
    await screen.findByRole("button", { name: "Kill switch" });
    await waitFor(() => expect(sent("GET").map((one) => one.path)).toContain("/api/kill-switch"));
    now = { ...NOTHING, accounts: ["real"] };
    await stop();
    await waitFor(() => expect(sent("PUT")[0]?.body).toEqual({ everything: true, accounts: ["real"], bots: [], reason: "" }));
  });

  it("forgets a reason that was not sent", async () => {
    show(<KillSwitchButton />, { ...me("trader"), "GET /api/kill-switch": NOTHING });
    await press("Kill switch");
    await userEvent.type(await screen.findByRole("textbox", { name: /Why/ }), "a slip");
    await press("Cancel");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await press("Kill switch");
    expect(await screen.findByRole("textbox", { name: /Why/ })).toHaveValue("");
  });

  it("releases what its dialog has named, and nothing else", async () => {
    let now: object = { ...NOTHING, everything: true, bots: ["b"], reason: "odd" };
    show(<KillSwitchBanner />, { ...me("admin"), "GET /api/kill-switch": () => now, "PUT /api/kill-switch": NOTHING });
    await press("Release…");
    const dialog = within(await screen.findByRole("dialog"));
    expect(dialog.getByText(/This releases everything, bot b\./)).toBeInTheDocument();
    now = { ...now, accounts: ["real"] };
    await userEvent.click(dialog.getByRole("button", { name: "Release" }));
    await waitFor(() => expect(sent("PUT")[0]?.body).toEqual({ everything: false, accounts: ["real"], bots: [], reason: "odd" }));
  });
});

import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Schemas } from "@/api/client";
import { problem, sent, show } from "@/test/render";
import { AccountForm } from "./AccountForm";

const PAPER = { starting_cash: "100000", slippage_bps: "1", impact_bps: "10", max_participation: "0.1", fee_bps: null, fee_per_share: "0" };
const ALPACA: Schemas["AccountView"] = {
  id: "mine", name: "Mine", broker: "alpaca", mode: "paper", target: "real", paper: PAPER, crypto_fee_bps: "25", stops_at_broker: true, key_hint: "…9f3A",
  keys_at: "2026-08-03T16:00:00Z", bot: null,
};
const SECRET = "a-secret-of-mine";
const key = () => screen.getByLabelText("API key");
const secret = () => screen.getByLabelText("API secret");

describe("the form of an account", () => {
  it("leaves stored keys alone when none is typed", async () => {
    show(<AccountForm account={ALPACA} onDone={vi.fn()} />, { "POST /api/accounts": ALPACA });
    expect(key()).toHaveAttribute("placeholder", "…9f3A");
    await userEvent.type(screen.getByRole("textbox", { name: /Name/ }), " too");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(sent("POST")).toHaveLength(1));
    expect(sent("POST")[0]?.body).toEqual({ id: "mine", name: "Mine too" });
  });

  it("sends no paper setting that nobody touched", async () => {
    const paper: Schemas["AccountView"] = { ...ALPACA, broker: "paper", target: "sandbox", key_hint: "", keys_at: null };
    show(<AccountForm account={paper} onDone={vi.fn()} />, { "POST /api/accounts": paper });
    const slippage = screen.getByRole("textbox", { name: "Slippage" });
    await userEvent.clear(slippage);
    await userEvent.type(slippage, "2,5");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByText("This is no number.");
    await userEvent.clear(slippage);
    await userEvent.type(slippage, "2.5");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ id: "mine", paper: { slippage_bps: "2.5" } }));
  });

  it("asks of a broker's account alone where its stops are", async () => {
    const { unmount } = show(<AccountForm account={ALPACA} onDone={vi.fn()} />, { "POST /api/accounts": ALPACA });
    await userEvent.click(screen.getByRole("switch", { name: /rest at the broker/ }));
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ id: "mine", stops_at_broker: false }));
    unmount();
    show(<AccountForm account={undefined} onDone={vi.fn()} />);
    expect(screen.queryByRole("switch")).toBeNull();
  });

  it("takes no fee as the one that brokers take", async () => {
    const paper: Schemas["AccountView"] = { ...ALPACA, broker: "paper", target: "sandbox", paper: { ...PAPER, fee_bps: "5" }, key_hint: "", keys_at: null };
    show(<AccountForm account={paper} onDone={vi.fn()} />, { "POST /api/accounts": paper });
    await userEvent.clear(screen.getByRole("textbox", { name: "Fee" }));
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ id: "mine", paper: { fee_bps: null } }));
  });

  it("sends both keys or none, and forgets them", async () => {
    show(<AccountForm account={ALPACA} onDone={vi.fn()} />, { "POST /api/accounts": ALPACA });
    await userEvent.type(key(), "KEY");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByText("The secret is needed; both belong together.");
    expect(sent("POST")).toEqual([]);
    await userEvent.type(secret(), SECRET);
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(sent("POST")[0]?.body).toMatchObject({ api_key: "KEY", api_secret: SECRET }));
    await waitFor(() => expect(secret()).toHaveValue(""));
  });

  it("asks for a typed word before an account with real money is added", async () => {
    show(<AccountForm account={undefined} onDone={vi.fn()} />, { "POST /api/accounts": ALPACA });
    await userEvent.type(screen.getByRole("textbox", { name: /Name/ }), "Real one");
    await userEvent.click(screen.getByRole("combobox", { name: "Broker" }));
    await userEvent.click(await screen.findByRole("option", { name: "Alpaca" }));
    await userEvent.click(await screen.findByRole("radio", { name: "Real money" }));
    await userEvent.type(key(), "KEY");
    await userEvent.type(secret(), SECRET);
    await userEvent.click(screen.getByRole("button", { name: "Add the account" }));
    const confirm = await screen.findByRole("button", { name: "Add it" });
    expect(confirm).toBeDisabled();
    await userEvent.type(screen.getByRole("textbox", { name: "Type LIVE to confirm" }), "LIVE");
    expect(sent("POST")).toEqual([]);
    await userEvent.click(confirm);
    await waitFor(() => expect(sent("POST")[0]?.body).toMatchObject({ broker: "alpaca", mode: "live", target: "real", api_key: "KEY" }));
  });

  it("shows what the gateway objects to at its field", async () => {
    const errors = [{ field: "paper.starting_cash", message: "must be greater than 0" }];
    show(<AccountForm account={undefined} onDone={vi.fn()} />, { "POST /api/accounts": () => problem(422, "does not fit", { errors }) });
    await userEvent.type(screen.getByRole("textbox", { name: /Name/ }), "Poor");
    await userEvent.click(screen.getByRole("button", { name: "Add the account" }));
    await screen.findByText("Must be greater than 0.");
    expect(screen.getByRole("textbox", { name: "Starts with" })).toBeInvalid();
  });
});

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ChainDialog } from "@/components/ChainDialog";
import { problem, sent, show } from "@/test/render";
import { Actions } from "./algorithms/Actions";
import { AlgorithmDialog } from "./algorithms/AlgorithmDialog";
import { JobProgress } from "./algorithms/JobProgress";
import { ConfigDialog } from "./configuration/ConfigDialog";
import { PushDialog } from "./configuration/PushDialog";
import type { Algorithm, Config } from "./queries";

const ROOT = "/api/quantconnect";
const ME = { "GET /api/auth/me": { username: "ann", role: "admin", expires_at: "2030-01-01T00:00:00Z" } };
const stored: Config = {
  id: "desk", name: "Desk", api_key_hint: "…23", api_secret_hint: "…bc", api_secret_at: null, target: "sandbox", algorithm_id: null,
  algorithm_name: "", is_active: true, signals_from: "insights", default_confidence: "0.5", max_age_s: 1200,
  created_at: "2026-08-03T16:00:00Z", updated_at: "2026-08-03T16:00:00Z",
};
const running: Algorithm = { id: "7", config_id: "desk", name: "Trend", status: "Running" };
const nothing = () => undefined;

describe("adding an account", () => {
  it("says what is wrong with the key, and takes the right one for the same account", async () => {
    const user = userEvent.setup({ delay: null });
    let right = false;
    show(<ConfigDialog config={null} onClose={nothing} />, {
      ...ME,
      [`POST ${ROOT}/config`]: stored,
      [`POST ${ROOT}/config/desk/test`]: () =>
        right
          ? { connected: true, message: "Connected. 1 projects can be read.", projects: [{ id: 7, name: "Trend" }] }
          : { connected: false, message: "QuantConnect does not accept user id 123.", projects: [] },
    });
    await user.type(screen.getByLabelText("Name"), "Desk");
    await user.click(screen.getByLabelText(/The sandbox/));
    await user.type(screen.getByLabelText("User id"), "123");
    await user.type(screen.getByLabelText("API token"), "wrong");
    await user.click(screen.getByRole("button", { name: "Save and test" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("does not accept user id 123");
    expect(screen.getByLabelText("API token")).toHaveValue("");

    right = true;
    await user.type(screen.getByLabelText("API token"), "abc");
    await user.click(screen.getByRole("button", { name: "Save and test" }));
    expect(await screen.findByText(/1 projects can be read/)).toBeVisible();
    const bodies = sent("POST").filter((one) => one.path === `${ROOT}/config`).map((one) => one.body);
    expect(bodies).toMatchObject([{ api_key: "123", api_secret: "wrong", target: "sandbox" }, { id: "desk", api_secret: "abc" }]);
    expect(bodies[0]).not.toHaveProperty("id");
    expect(bodies[1]).not.toHaveProperty("api_key");
  });

  it("does not put back what somebody else changed while it was open", async () => {
    const user = userEvent.setup({ delay: null });
    show(<ConfigDialog config={stored} onClose={nothing} />, {
      ...ME,
      [`POST ${ROOT}/config`]: (body: unknown) => ({ ...stored, ...(body as object), is_active: false }), // switched off elsewhere
      [`POST ${ROOT}/config/desk/test`]: { connected: true, message: "Connected.", projects: [] },
    });
    for (const name of ["A", "B"]) {
      await user.clear(screen.getByLabelText("Name"));
      await user.type(screen.getByLabelText("Name"), name);
      await user.click(screen.getByRole("button", { name: "Save and test" }));
      await screen.findByRole("button", { name: "Done" });
    }
    const bodies = sent("POST").filter((one) => one.path === `${ROOT}/config`).map((one) => one.body);
    expect(bodies).toEqual([{ id: "desk", name: "A" }, { id: "desk", name: "B" }]);
  });

  it("closes without a question when it is saved, also when it could not be tested", async () => {
    const user = userEvent.setup({ delay: null });
    const closed = vi.fn();
    show(<ConfigDialog config={stored} onClose={closed} />, {
      ...ME,
      [`POST ${ROOT}/config`]: (body: unknown) => ({ ...stored, ...(body as object) }),
      [`POST ${ROOT}/config/desk/test`]: () => problem(503, "qc-ingest does not answer"),
    });
    await user.type(screen.getByLabelText("Name"), "2");
    await user.click(screen.getByRole("button", { name: "Save and test" }));
    expect(await screen.findByText("It is saved, but could not be tested")).toBeVisible();
    await user.keyboard("{Escape}");
    expect(screen.queryByText("Leave without saving?")).toBeNull();
    expect(closed).toHaveBeenCalled();
  });

  it("sends nothing while something is missing, and shows refusals at their fields", async () => {
    const user = userEvent.setup({ delay: null });
    show(<ConfigDialog config={null} onClose={nothing} />, {
      ...ME,
      [`POST ${ROOT}/config`]: () => problem(422, "it does not fit", { errors: [{ field: "name", message: "That name is too long." }] }),
    });
    await user.click(screen.getByRole("button", { name: "Save and test" }));
    expect(screen.getByText(/Give it a name/)).toBeVisible();
    expect(sent("POST")).toEqual([]);
    await user.type(screen.getByLabelText("Name"), "x");
    await user.type(screen.getByLabelText("User id"), "1");
    await user.type(screen.getByLabelText("API token"), "2");
    await user.click(screen.getByRole("button", { name: "Save and test" }));
    expect(await screen.findByText("That name is too long.")).toBeVisible();
    expect(screen.getByRole("alert")).toHaveTextContent("It was not saved");
  });
});

describe("an algorithm", () => {
  it("is stopped only after a word, in the account it is in, once", async () => {
    const user = userEvent.setup({ delay: null });
    show(<Actions algorithm={running} />, {
      ...ME,
      [`POST ${ROOT}/algorithms/7/stop`]: { id: "7", config_id: "desk", status: "Stopped" },
    });
    await user.click(await screen.findByRole("button", { name: "Stop Trend" }));
    expect(sent("POST")).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Stop it" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Stop it" })).toBeNull());
    const [stop] = sent("POST");
    expect(stop).toMatchObject({ path: `${ROOT}/algorithms/7/stop`, query: { config: "desk" } });
    expect(stop?.headers.get("idempotency-key")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is stopped anew when it was deployed anew, whatever was asked of the deployment before", async () => {
    const user = userEvent.setup({ delay: null });
    const keys: string[] = [];
    for (const deploy_id of ["L-1", "L-1", "L-2"]) {
      const page = show(<Actions algorithm={{ ...running, deploy_id }} />, { ...ME, [`POST ${ROOT}/algorithms/7/stop`]: () => problem(503, "no answer") });
      await user.click(await screen.findByRole("button", { name: "Stop Trend" }));
      await user.click(screen.getByRole("button", { name: "Stop it" }));
      await screen.findByRole("alert");
      keys.push(sent("POST")[0]?.headers.get("idempotency-key") ?? "");
      page.unmount();
    }
    expect([keys[1] === keys[0], keys[2] === keys[0]]).toEqual([true, false]);
  });

  it("is liquidated only when LIQUIDATE was typed, and a refusal is told in its own words", async () => {
    const user = userEvent.setup({ delay: null });
    show(<Actions algorithm={running} />, {
      ...ME,
      [`POST ${ROOT}/algorithms/7/liquidate`]: () => problem(404, "Project 7 was never deployed."),
    });
    await user.click(await screen.findByRole("button", { name: "Liquidate Trend" }));
    const sell = screen.getByRole("button", { name: "Sell everything" });
    expect(sell).toBeDisabled();
    await user.type(screen.getByLabelText("Type LIQUIDATE to confirm"), "LIQUIDATE");
    await user.click(sell);
    expect(await screen.findByRole("alert")).toHaveTextContent("Project 7 was never deployed.");
    expect(sent("POST")[0]?.body).toEqual({ confirm: true });
  });

  it("is deployed with what was chosen, and its progress is followed", async () => {
    const user = userEvent.setup({ delay: null });
    const job = { id: "j", kind: "deploy", config_id: "desk", algorithm_id: "7", algorithm_name: "Trend", status: "failed", message: "No live node is free." };
    show(
      <>
        <JobProgress />
        <Actions algorithm={{ ...running, status: "Stopped" }} />
      </>,
      {
        ...ME,
        [`GET ${ROOT}/algorithms/7`]: { ...running, nodes: { live: [{ id: "LN-1", name: "L-MICRO" }] } },
        [`POST ${ROOT}/algorithms/7/deploy`]: job,
        [`GET ${ROOT}/jobs/j`]: job,
      },
    );
    await user.click(await screen.findByRole("button", { name: "Deploy Trend" }));
    await user.type(screen.getByLabelText("Parameters"), "lookback");
    await user.click(screen.getByRole("button", { name: "Deploy" }));
    expect(await screen.findByText(/Line 1 is not of the form/)).toBeVisible();
    await user.type(screen.getByLabelText("Parameters"), " = 5");
    await user.click(screen.getByRole("button", { name: "Deploy" }));
    expect(await screen.findByText("No live node is free.")).toBeVisible();
    expect(screen.getByText("Trend was not deployed")).toBeVisible();
    expect(sent("POST").map((one) => one.body)).toEqual([{ parameters: { lookback: "5" } }]);
  });

  it("cannot be ended by somebody who may only look", async () => {
    show(<Actions algorithm={running} />, { "GET /api/auth/me": { ...ME["GET /api/auth/me"], role: "viewer" } });
    await waitFor(() => expect(sent("GET")).toHaveLength(1));
    expect(screen.queryByRole("button")).toBeNull();
  });
});

describe("pushing", () => {
  it("shows address, key and file to copy after the key was made", async () => {
    const user = userEvent.setup({ delay: null });
    show(<PushDialog config={stored} onClose={nothing} />, {
      ...ME,
      [`POST ${ROOT}/config/desk/webhook`]: { url: "http://localhost:8000/hooks/quantconnect/desk", token: "only-once", must_sign: false, old_until: null, snippet: "" },
    });
    await user.click(screen.getByRole("button", { name: "Make a key" }));
    expect(await screen.findByLabelText("signalbox_key")).toHaveValue("only-once");
    expect(screen.getByLabelText("signalbox_url")).toHaveValue("http://localhost:8000/hooks/quantconnect/desk");
    expect(screen.getByLabelText("signalbox_emitter.py")).toHaveTextContent("class SignalboxEmitter");
    expect(screen.getByRole("button", { name: "Copy signalbox_key" })).toBeVisible();
    expect(screen.getByText(/put yours in the place of http:\/\/localhost:8000/)).toBeVisible();
  });
});

describe("a key that is shown once", () => {
  it("is not lost by Escape, neither while it is made nor after", async () => {
    const closed = vi.fn();
    let answer: (made: object) => void = () => undefined;
    show(<PushDialog config={stored} onClose={closed} />, { ...ME, [`POST ${ROOT}/config/desk/webhook`]: () => ({}) });
    vi.stubGlobal("fetch", () => new Promise((resolve) => (answer = (made) => resolve(Response.json(made)))));
    await userEvent.click(screen.getByRole("button", { name: "Make a key" }));
    expect(screen.getByRole("button", { name: "Cancel" })).toBeDisabled();
    await userEvent.keyboard("{Escape}");
    answer({ url: "http://localhost:8000/hooks/quantconnect/desk", token: "only-once", must_sign: false, old_until: null, snippet: "" });
    expect(await screen.findByLabelText("signalbox_key")).toHaveValue("only-once");
    await userEvent.keyboard("{Escape}");
    expect(closed).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole("button", { name: "I have copied it" }));
    expect(closed).toHaveBeenCalled();
  });
});

describe("a question in a dialog", () => {
  it("is closed by Escape alone: the dialog around it stays", async () => {
    show(<AlgorithmDialog />, { ...ME, [`GET ${ROOT}/algorithms/7`]: running }, "/quantconnect?open=desk:7");
    await userEvent.click(await screen.findByRole("button", { name: "Stop Trend" }));
    await screen.findByRole("button", { name: "Stop it" });
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("button", { name: "Stop it" })).toBeNull());
    expect(screen.getByRole("button", { name: "Stop Trend" })).toBeVisible();
  });
});

describe("a signal that waits", () => {
  const chain = (outcome: string, current = true) => ({
    signal: { id: "s", source_type: "quantconnect", source_id: "7", own_id: "o", symbol: "AAPL", action: "buy", confidence: "0.7", confidence_origin: "stated", raised_at: "2026-08-03T16:00:00Z", valid_until: "2026-08-03T16:20:00Z", target: "sandbox", epoch: 0 },
    verdicts: [{ id: "v", signal_id: "s", bot: "shadow", account: "a", symbol: "AAPL", source_type: "quantconnect", source_id: "7", action: "buy", confidence: "0.7", round: 0, outcome, reason: "awaits_approval", explanation: "It waits.", rule: "approval", evaluated_at: "2026-08-03T16:00:01Z", valid_until: "2026-08-03T16:20:00Z", current }],
    orders: [], lots: [], outcomes: [],
  });

  it("is released after a word, and the refusal stands in the dialog", async () => {
    const user = userEvent.setup({ delay: null });
    show(<ChainDialog />, {
      ...ME,
      "GET /api/chains/s": chain("pending"),
      [`POST ${ROOT}/signals/s/process`]: () => problem(409, "The signal has expired."),
    }, "/quantconnect?chain=s");
    await user.click(await screen.findByRole("button", { name: "Process" }));
    const ask = await screen.findByRole("dialog", { name: "Act on buy AAPL?" });
    await user.click(within(ask).getByRole("button", { name: "Process" }));
    expect(await within(ask).findByRole("alert")).toHaveTextContent("The signal has expired.");
  });

  it("offers nothing to release when no bot waits", async () => {
    show(<ChainDialog />, { ...ME, "GET /api/chains/s": chain("accepted") }, "/quantconnect?chain=s");
    expect(await screen.findByText("It waits.")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Process" })).toBeNull();
  });

  it.each([[true, 1], [false, 0]])("says what to do about it while its round is on: %s", async (current, times) => {
    show(<ChainDialog />, { ...ME, "GET /api/chains/s": chain("pending", current) }, "/activity?chain=s");
    expect(await screen.findByText("It waits.")).toBeVisible();
    expect(screen.queryAllByText(/Approve or decline it/)).toHaveLength(times);
    expect(screen.queryAllByText("Bot shadow waits for your word")).toHaveLength(times);
  });
});

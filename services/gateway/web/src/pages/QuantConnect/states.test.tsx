import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { problem, sent, show } from "@/test/render";
import { Algorithms } from "./algorithms/Algorithms";
import { Result } from "./backtests/Result";
import { Configuration } from "./configuration/Configuration";
import { Overview } from "./overview/Overview";

const ROOT = "/api/quantconnect";
const ME = { "GET /api/auth/me": { username: "ann", role: "admin", expires_at: "2030-01-01T00:00:00Z" } };
const NONE = { items: [], next_cursor: null };
const NOTHING = {
  ...ME,
  [`GET ${ROOT}/config`]: NONE,
  [`GET ${ROOT}/status`]: NONE,
  [`GET ${ROOT}/algorithms`]: { ...NONE, problems: [] },
  [`GET ${ROOT}/signals`]: NONE,
  [`GET ${ROOT}/backtest`]: NONE,
  "GET /api/performance": NONE,
  "GET /api/performance/comparison": NONE,
};

describe("before anything is set up", () => {
  it("the overview leads to adding an account", async () => {
    show(<Overview />, NOTHING, "/quantconnect");
    expect(await screen.findByRole("link", { name: "Add an account" })).toHaveAttribute("href", "/quantconnect/configuration?edit=new");
    expect(await screen.findByText(/No bot has traded on a QuantConnect signal yet/)).toBeVisible();
  });

  it("the configuration says what is needed", async () => {
    show(<Configuration />, NOTHING);
    expect(await screen.findByText(/You need the user id and an API token/)).toBeVisible();
  });
});

describe("when an account cannot be read", () => {
  it("its algorithms are named as missing, in QuantConnect's words, and the others are there", async () => {
    show(<Algorithms />, {
      ...NOTHING,
      [`GET ${ROOT}/config`]: { items: [{ id: "desk", name: "Desk" }] },
      [`GET ${ROOT}/algorithms`]: {
        items: [{ id: "7", config_id: "other", name: "Trend", status: "RuntimeError", message: "Division by zero." }],
        problems: [{ config_id: "desk", message: "QuantConnect does not accept user id 123." }],
      },
    });
    expect(await screen.findByText("Desk cannot be read now")).toBeVisible();
    expect(screen.getByText("QuantConnect does not accept user id 123.")).toBeVisible();
    const card = within(screen.getByRole("region", { name: "Trend" }));
    expect(card.getByText("Runtime error")).toBeVisible();
    expect(card.getByText("Division by zero.")).toBeVisible();
  });

  it("nobody is shown an empty list for it", async () => {
    show(<Algorithms />, { ...NOTHING, [`GET ${ROOT}/algorithms`]: () => problem(503, "qc-ingest does not answer.") });
    expect(await screen.findByRole("alert")).toHaveTextContent("qc-ingest does not answer.");
    expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
  });
});

describe("a backtest", () => {
  const one = {
    id: "b", config_id: "desk", algorithm_id: "7", algorithm_name: "Trend", name: "Spring", progress: 1, message: "", parameters: { fast: "5" },
    created_at: "2026-08-03T16:00:00Z", updated_at: "2026-08-03T16:02:00Z", statistics: {}, notes: [], missing: null,
  };
  const path = `GET ${ROOT}/backtest/b`;

  it("that failed shows why, and asks for no result", async () => {
    show(<Result id="b" />, { ...ME, [path]: { ...one, status: "failed", error: "It broke.", stacktrace: "at line 7" } });
    expect(await screen.findByRole("alert")).toHaveTextContent("It broke.");
    expect(screen.getByLabelText("Stack trace")).toHaveTextContent("at line 7");
    expect(sent("GET").map((request) => request.path)).not.toContain(`${ROOT}/backtest/b/series`);
  });

  it("that is not over shows how far it is and can be cancelled", async () => {
    show(<Result id="b" />, { ...ME, [path]: { ...one, status: "running", progress: 0.42, message: "Running." } });
    expect(await screen.findByText("42%")).toBeVisible();
    expect(await screen.findByRole("button", { name: "Cancel it" })).toBeVisible();
  });

  it("whose dates were ignored says so once", async () => {
    const words = "The algorithm does not use the dates.";
    show(<Result id="b" />, { ...ME, [path]: { ...one, status: "canceled", ignores_dates: true, message: words, notes: [words] } });
    expect(await screen.findAllByText(words)).toHaveLength(1);
  });

  it("whose result cannot be read now says why", async () => {
    show(<Result id="b" />, { ...ME, [path]: { ...one, status: "canceled", missing: "qc-ingest does not answer." } });
    expect(await screen.findByText("qc-ingest does not answer.")).toBeVisible();
  });

  it("that is not there is an error with its words", async () => {
    show(<Result id="b" />, { ...ME, [path]: () => problem(404, "there is no backtest b") });
    expect(await screen.findByRole("alert")).toHaveTextContent("there is no backtest b");
  });
});

import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { problem, sent, show } from "@/test/render";
import type { Config } from "../queries";
import { ConfigForm } from "./ConfigForm";
import { STORED } from "./example";

// By label and text: to look by role takes seconds in a form of this size.
const ME = { username: "admin", role: "admin", expires_at: "2026-12-01T00:00:00Z" };
const ANSWERS = {
  "GET /api/auth/me": ME,
  "GET /api/bots": { items: [] },
  "GET /api/ai-trading/config": { items: [STORED] },
  "GET /api/ai-trading/prompts": { items: [] },
};
const CHECKED = { connected: true, message: "Key and model are accepted.", model: { id: "b-model" }, warnings: [], left_out: ["temperature"] };
const SAVE = "POST /api/ai-trading/config";
const CHECK = "POST /api/ai-trading/config/gpt/test";

const field = (name: string) => screen.getByLabelText(name, { selector: "input" });
const button = (name: string) => screen.getByText(name).closest("button");
const enabled = () => waitFor(() => expect(button("Save")).toBeEnabled());
const press = (name: string) => fireEvent.click(button(name) as Element);
const fill = (element: HTMLElement, value: string) => fireEvent.change(element, { target: { value } });

it("sends what was changed and the key once, and forgets the key", async () => {
  const closed = vi.fn();
  show(<ConfigForm stored={STORED} onClose={closed} onSaved={vi.fn()} />, { ...ANSWERS, [SAVE]: { ...STORED, model: "b-model" } });
  await enabled();
  fill(screen.getByLabelText("API key"), "sk-secret");
  fill(field("Model"), "b-model");
  press("Save");
  await waitFor(() => expect(closed).toHaveBeenCalled());
  expect(sent("POST").map((one) => one.body)).toEqual([{ id: "gpt", model: "b-model", api_key: "sk-secret" }]);
  expect(screen.getByLabelText("API key")).toHaveValue("");
});

it("does not put back what somebody else changed while it was open", async () => {
  let elsewhere = {};
  function Open() {
    const [config, setConfig] = useState(STORED);
    return (
      <>
        <button onClick={() => setConfig({ ...STORED, ...elsewhere })}>It changes elsewhere</button>
        <ConfigForm stored={config} onClose={vi.fn()} onSaved={vi.fn()} />
      </>
    );
  }
  show(<Open />, { ...ANSWERS, [SAVE]: STORED });
  await enabled();
  fill(field("Model"), "b-model");
  elsewhere = { is_active: false, move: "0.5", updated_at: "2026-11-21T09:00:00Z" };
  fireEvent.click(screen.getByText("It changes elsewhere"));
  press("Save");
  await waitFor(() => expect(sent("POST").map((one) => one.body)).toEqual([{ id: "gpt", model: "b-model" }]));
});

it("checks after saving, and says which setting the model does not take", async () => {
  const model: Config = { ...STORED, left_out: ["temperature"] };
  show(<ConfigForm stored={model} onClose={vi.fn()} onSaved={vi.fn()} />, { ...ANSWERS, [SAVE]: model, [CHECK]: CHECKED });
  expect(field("Temperature")).toBeDisabled();
  expect(screen.getByText("a-model takes no temperature: it is not sent.")).toBeVisible();
  await enabled();
  press("Save and check key and model");
  const found = await screen.findByRole("status");
  expect(within(found).getByText("Accepted; nothing was spent")).toBeVisible();
  expect(sent("POST").map((one) => one.path)).toEqual(["/api/ai-trading/config", "/api/ai-trading/config/gpt/test"]);
});

it("puts a problem at its field and stays open", async () => {
  const closed = vi.fn();
  const refusal = problem(422, "budget.day_usd: is too large", { errors: [{ field: "budget.day_usd", message: "is too large" }] });
  show(<ConfigForm stored={STORED} onClose={closed} onSaved={vi.fn()} />, { ...ANSWERS, [SAVE]: () => refusal });
  await enabled();
  fill(field("A day"), "9");
  press("Save");
  expect(await screen.findByText("It was not saved")).toBeVisible();
  expect(screen.getByText("Is too large.")).toBeVisible();
  expect(closed).not.toHaveBeenCalled();
  expect(sent("POST")[0]?.body).toEqual({ id: "gpt", budget: { day_usd: "9" } });
});

it("lets nobody but an admin change anything", async () => {
  show(<ConfigForm stored={STORED} onClose={vi.fn()} onSaved={vi.fn()} />, { ...ANSWERS, "GET /api/auth/me": { ...ME, role: "viewer" } });
  expect(await screen.findByText("Only an admin may change this.")).toBeVisible();
  expect(button("Save")).toBeDisabled();
  expect(field("Model")).toBeDisabled();
});

import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { Link, Route, Routes, useSearchParams } from "react-router";
import { expect, it, vi } from "vitest";
import { sent, show } from "@/test/render";
import type { Prompt, Version } from "../queries";
import { Draft } from "./Draft";

vi.mock("./PromptEditor", () => ({
  PromptEditor: ({ label, value, onChange }: { label: string; value: string; onChange: (text: string) => void }) => (
    <textarea aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)} />
  ),
}));

const ANSWERS = {
  "GET /api/auth/me": { username: "ann", role: "admin", expires_at: "2030-01-01T00:00:00Z" },
  "GET /api/ai-trading/config": { items: [] },
  "GET /api/ai-trading/variables": { items: [] },
};
const PROMPT: Prompt = {
  id: "mine", name: "Mine", active_version: 1, latest_version: 1, built_in: false, used_by: [],
  created_at: "2026-11-20T09:00:00Z", updated_at: "2026-11-20T09:00:00Z",
};
const version = (number: number, user: string) =>
  ({ prompt_id: "mine", name: "Mine", version: number, system: "Method.", user, active: true, created_by: "bob" }) as Version;

/** The prompt's page as the address has it; somebody else saves when the button is pressed. */
function Page({ onSaved = () => undefined }: { onSaved?: (id: string, version?: number) => void }) {
  const [newest, setNewest] = useState(version(1, "ONE"));
  const [params, setParams] = useSearchParams();
  return (
    <>
      <button onClick={() => setNewest(version(2, "TWO"))}>Bob saves</button>
      <Link to="/prompts?prompt=other">Another prompt</Link>
      <Link to="/prompts?prompt=mine&chain=x">A dialog</Link>
      <output aria-label="Address">{params.get("prompt")}</output>
      <Draft prompt={PROMPT} base={newest} newest={newest} active={newest} onSaved={(id, saved) => (setParams({ prompt: "saved" }), onSaved(id, saved))} />
    </>
  );
}

const page = (onSaved?: (id: string, version?: number) => void, more = {}) =>
  show(<Routes><Route path="/prompts" element={<Page onSaved={onSaved} />} /></Routes>, { ...ANSWERS, ...more }, "/prompts?prompt=mine");
const words = () => screen.getByLabelText("User part");
const write = (text: string) => fireEvent.change(words(), { target: { value: text } });
const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));
const follow = (name: string) => userEvent.click(screen.getByRole("link", { name }));
const address = () => screen.getByLabelText("Address");

it("takes what somebody else saved while nothing is changed", async () => {
  page();
  expect(words()).toHaveValue("ONE");
  await press("Bob saves");
  expect(words()).toHaveValue("TWO");
  expect(screen.queryByText(/saved meanwhile/)).toBeNull();
});

it("keeps what is being written when somebody else saves, and says so", async () => {
  page();
  write("MINE");
  await press("Bob saves");
  expect(words()).toHaveValue("MINE");
  expect(screen.getByText("Version 2 was saved meanwhile by bob")).toBeVisible();
  write("TWO"); // the same now: nothing is held any more
  expect(screen.queryByText(/saved meanwhile/)).toBeNull();
});

it("asks before a link takes away what was written", async () => {
  page();
  write("MINE");
  await follow("A dialog");
  expect(screen.queryByText("Leave without saving?")).toBeNull();
  await follow("Another prompt");
  await screen.findByText("Leave without saving?");
  await press("Keep editing");
  expect(address()).toHaveTextContent("mine");
  expect(words()).toHaveValue("MINE");
  await follow("Another prompt");
  await press("Discard it");
  await waitFor(() => expect(address()).toHaveTextContent("other"));
});

it("leads to the saved version when that is not the one in use", async () => {
  const saved = vi.fn();
  page(saved, { "POST /api/ai-trading/prompts": { ...PROMPT, version: 2, active_version: 1 } });
  write("MINE");
  await waitFor(() => expect(sent("GET").map((one) => one.path)).toContain("/api/auth/me"));
  await userEvent.click(screen.getByRole("checkbox", { name: "Use it from now on" }));
  await waitFor(() => expect(screen.getByRole("button", { name: "Save a new version" })).toBeEnabled());
  await press("Save a new version");
  await waitFor(() => expect(saved).toHaveBeenCalledWith("mine", 2));
  await waitFor(() => expect(address()).toHaveTextContent("saved")); // without a question
});

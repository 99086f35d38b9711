import { expect, it } from "vitest";
import { standing } from "@/standing";

const WELL = { is_active: true, connected: true };
const DOWN = { is_active: true, connected: false };

it.each([
  ["connected", WELL],
  ["connected", { ...WELL, last_error: "project 7: deleted" }],
  ["waiting", DOWN],
  ["not connected", { ...DOWN, last_error: "down" }],
  ["not connected", { ...DOWN, last_ok_at: "2026-08-03T16:00:00Z" }],
  ["switched off", { ...WELL, is_active: false }],
  ["incomplete", { ...WELL, is_active: false, todo: "Pick a model." }],
])("a source is %s", (state, one) => expect(standing(one)).toBe(state));

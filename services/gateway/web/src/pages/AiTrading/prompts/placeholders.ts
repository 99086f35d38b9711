// Placeholders of a prompt, as the server reads them: `{{name}}` and nothing else.

import type { Variable } from "../queries";

export interface Placeholder {
  name: string;
  from: number;
  to: number;
}

const PLACEHOLDER = /\{\{ *([^{}\n]{0,80}?) *\}\}/g;

/** Every placeholder of a text, right or wrong, in order. */
export function placeholders(text: string): Placeholder[] {
  return [...text.matchAll(PLACEHOLDER)].map((found) => ({
    name: found[1] ?? "",
    from: found.index,
    to: found.index + found[0].length,
  }));
}

export type Known = ReadonlyMap<string, Variable>;
export const knownOf = (variables: readonly Variable[]): Known => new Map(variables.map((one) => [one.name, one]));

/** Names that no variable has, each once. Nothing is unknown before the variables are here. */
export function unknown(text: string, known: Known): string[] {
  if (known.size === 0) return [];
  return [...new Set(placeholders(text).map((one) => one.name).filter((name) => !known.has(name)))];
}

export type Part = "system" | "user";

/** Whether a variable may stand in a part: what others wrote only in the user part. */
export const fits = (variable: Variable, part: Part): boolean => part === "user" || variable.trusted !== false;

/** How a placeholder is marked. */
export function markOf(name: string, known: Known, part: Part): "ph-ok" | "ph-bad" | "" {
  if (known.size === 0) return "";
  const found = known.get(name);
  return found && fits(found, part) ? "ph-ok" : "ph-bad";
}

/** What can be completed before the cursor: where it begins, and what was typed of the name. */
export function typed(before: string): { from: number; name: string } | null {
  const found = /\{\{ *([a-z0-9_]*)$/.exec(before);
  return found ? { from: found.index, name: found[1] ?? "" } : null;
}

// Placeholders of a prompt, as the server reads them: `{{name}}` and nothing else.

import type { Variable } from "../queries";

export const PLACEHOLDER = /\{\{ *([^{}\n]{0,80}?) *\}\}/g;

/** The name of every placeholder of a text, right or wrong, in order. */
export const placeholders = (text: string): string[] => [...text.matchAll(PLACEHOLDER)].map((found) => found[1] ?? "");

export type Known = ReadonlyMap<string, Variable>;
export const knownOf = (variables: readonly Variable[]): Known => new Map(variables.map((one) => [one.name, one]));

/** Names that no variable has, each once. Nothing is unknown before the variables are here. */
export function unknown(text: string, known: Known): string[] {
  if (known.size === 0) return [];
  return [...new Set(placeholders(text).filter((name) => !known.has(name)))];
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

/** Where in the text before the cursor begins what can be completed; -1: nothing can. */
export const typed = (before: string): number => before.search(/\{\{ *[a-z0-9_]*$/);

// What the form of a backtest holds, and what is sent of it.

import type { Schemas } from "@/api/client";
import type { Backtest } from "../queries";
import { keyOf, parametersProblem, parametersText, parseParameters } from "../words";

export interface Given {
  algorithm: string | null; // account:project
  name: string;
  start: string | null;
  end: string | null;
  parameters: string;
}

export const EMPTY: Given = { algorithm: null, name: "", start: null, end: null, parameters: "" };

/** The same once more, to change one thing. */
export const again = (one: Backtest): Given => ({
  algorithm: keyOf({ id: one.algorithm_id, config_id: one.config_id }),
  name: one.name ?? "",
  start: one.start ?? null,
  end: one.end ?? null,
  parameters: parametersText(one.parameters),
});

export function problems({ algorithm, start, end, parameters }: Given): Partial<Record<keyof Given, string>> {
  const found: Partial<Record<keyof Given, string>> = {};
  if (!algorithm) found.algorithm = "Choose the algorithm to run.";
  if (start && end && end < start) found.end = "It ends before it starts.";
  const wrong = parametersProblem(parameters);
  if (wrong) found.parameters = wrong;
  return found;
}

/** What was left empty is not sent: the algorithm's own dates and parameters count then. */
export function body({ algorithm, name, start, end, parameters }: Given): Schemas["BacktestBody"] {
  const [config = "", id = ""] = algorithm?.split(":") ?? [];
  return {
    algorithm_id: Number(id),
    config,
    ...(name.trim() && { name: name.trim() }),
    ...(start && { start }),
    ...(end && { end }),
    parameters: parseParameters(parameters),
  };
}

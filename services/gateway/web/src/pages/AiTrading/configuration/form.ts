// What the form of a config holds, and what of it is sent.

import type { Schemas } from "@/api/client";
import { changes } from "@/changes";
import { sentAs, shownAs, type Spec, wrong } from "@/components/fields";
import type { Config } from "../queries";
import { TERMS } from "../terms";

type Body = Schemas["LlmConfigBody"];
/** Every number of a config. */
export const NUMBERS = {
  max_tokens: { label: "Longest answer, tokens", tip: TERMS.maxTokens },
  temperature: { label: "Temperature", tip: TERMS.temperature, none: "The model's own" },
  every: { label: "After so many bars", tip: `${TERMS.every} Empty switches the schedule off.`, none: "No schedule" },
  move: { label: "When the price moves", unit: "%", tip: `${TERMS.move} Empty: moves do not matter.`, none: "Never" },
  min_gap_s: { label: "Never sooner than", unit: "s", tip: TERMS.minGap },
  symbols_per_call: { label: "Symbols in one call", tip: TERMS.perCall },
  horizon_s: { label: "Longest horizon", unit: "s", tip: TERMS.horizon },
  deadline_s: { label: "Deadline", unit: "s", tip: TERMS.deadline },
  cache_s: { label: "Same question answered from memory for", unit: "s", tip: TERMS.cache },
  day_usd: { label: "A day", unit: "$", none: "No limit" },
  month_usd: { label: "A month", unit: "$", none: "No limit" },
  input_usd: { label: "Own price, a million tokens in", unit: "$", none: "From the table" },
  output_usd: { label: "Own price, a million tokens out", unit: "$", none: "From the table" },
} as const satisfies Record<string, Spec>;
export type NumberName = keyof typeof NUMBERS;
const NAMES = Object.keys(NUMBERS) as NumberName[];

export interface Values extends Record<NumberName, string> {
  name: string;
  provider: "openai" | "claude";
  target: "real" | "sandbox";
  compatible: boolean; // a server of one's own that speaks OpenAI's form
  base_url: string;
  api_key: string;
  model: string;
  prompt_template: string;
  effort: string | null;
  symbols: string[];
  interval: string;
  fallback: string | null;
  bot: string | null;
  show_signals: boolean;
  is_active: boolean;
}

export const NEW: Values = {
  name: "",
  provider: "openai",
  target: "real",
  compatible: false,
  base_url: "",
  api_key: "",
  model: "",
  prompt_template: "standard",
  max_tokens: "2000",
  temperature: "",
  effort: null,
  symbols: [],
  interval: "1m",
  every: "15",
  move: "",
  min_gap_s: "60",
  symbols_per_call: "5",
  horizon_s: "3600",
  deadline_s: "60",
  cache_s: "300",
  fallback: null,
  bot: null,
  show_signals: false,
  day_usd: "1",
  month_usd: "20",
  input_usd: "",
  output_usd: "",
  is_active: true,
};

/** A stored config as the form shows it; its key never comes back. */
export function valuesOf(config: Config): Values {
  const given: Partial<Record<NumberName, string | number | null>> = { ...config, ...config.budget, ...config.price };
  return {
    ...(Object.fromEntries(NAMES.map((name) => [name, shownAs(NUMBERS[name], given[name])])) as Record<NumberName, string>),
    name: config.name,
    provider: config.provider === "claude" ? "claude" : "openai",
    target: config.target === "sandbox" ? "sandbox" : "real",
    compatible: config.base_url !== null,
    base_url: config.base_url ?? "",
    api_key: "",
    model: config.model,
    prompt_template: config.prompt_template,
    effort: config.effort,
    symbols: [...config.symbols],
    interval: config.interval,
    fallback: config.fallback,
    bot: config.bot,
    show_signals: config.show_signals,
    is_active: config.is_active,
  };
}

/** Every field as the interface takes it. */
export function bodyOf(values: Values): Body {
  const own = values.provider === "openai" && values.target === "real" && values.compatible;
  const number = (name: NumberName) => sentAs(NUMBERS[name], values[name]);
  const whole = (name: NumberName) => (number(name) === null ? null : Number(number(name)));
  const [input_usd, output_usd] = [number("input_usd"), number("output_usd")];
  return {
    name: values.name.trim(),
    provider: values.provider,
    target: values.target,
    base_url: own ? values.base_url.trim() : null,
    ...(values.provider === "openai" ? { wire: own ? ("chat" as const) : ("responses" as const) } : {}),
    model: values.model.trim(),
    prompt_template: values.prompt_template,
    max_tokens: whole("max_tokens"),
    temperature: number("temperature"),
    effort: values.effort as Body["effort"],
    symbols: values.symbols.map((one) => one.trim().toUpperCase()),
    interval: values.interval.trim(),
    every: whole("every"),
    move: number("move"),
    min_gap_s: whole("min_gap_s"),
    symbols_per_call: whole("symbols_per_call"),
    horizon_s: whole("horizon_s"),
    deadline_s: whole("deadline_s"),
    cache_s: whole("cache_s"),
    fallback: values.fallback,
    bot: values.bot,
    show_signals: values.show_signals,
    budget: { day_usd: number("day_usd"), month_usd: number("month_usd") },
    price: input_usd !== null && output_usd !== null ? { input_usd, output_usd } : null,
    is_active: values.is_active,
  };
}

/** What is sent: all of a new config; of one as it was when the form opened its id and what was changed. A key only when one was typed. */
export function sentOf(values: Values, stored: Config | null): Body {
  const key = values.api_key.trim();
  const wanted = bodyOf(values);
  const secret = key ? { api_key: key } : {};
  if (!stored) return { ...wanted, ...secret };
  return { id: stored.id, ...changes(bodyOf(valuesOf(stored)), wanted, "budget"), ...secret };
}

/** A sum that is left empty, a key that is needed, and what else the form knows by itself. */
export function problemsOf(values: Values, stored: Config | null): Partial<Record<keyof Values, string>> {
  const found: Partial<Record<keyof Values, string>> = {};
  for (const name of NAMES) {
    const message = wrong(NUMBERS[name], values[name]);
    if (message) found[name] = message;
  }
  if (!values.name.trim()) found.name = "Give it a name.";
  if (!values.model.trim()) found.model = "Name the model as the provider does.";
  if (values.symbols.length === 0) found.symbols = "Add at least one symbol.";
  if (!/^[1-9][0-9]{0,2}[mhd]$/.test(values.interval.trim())) found.interval = "A number and m, h or d, such as 15m.";
  if (values.compatible && values.provider === "openai" && values.target === "real" && !values.base_url.trim())
    found.base_url = "Enter the server's address; it ends in /v1.";
  if ((values.input_usd === "") !== (values.output_usd === "")) found[values.input_usd === "" ? "input_usd" : "output_usd"] = "Enter both prices, or neither.";
  if (!values.api_key.trim() && keyIsNeeded(values, stored))
    found.api_key = stored
      ? "Another provider, address or target needs its key again: a stored key goes only where it was entered for."
      : "Enter the provider's key.";
  return found;
}

function keyIsNeeded(values: Values, stored: Config | null): boolean {
  if (!stored) return true;
  const sent = bodyOf(values);
  return sent.provider !== stored.provider || sent.target !== stored.target || (sent.base_url ?? null) !== stored.base_url;
}

/** The form's field that a problem of the interface is about: budget.day_usd, symbols.0 */
export const fieldOf = (name: string): string => name.replace(/^(budget|price)\./, "").replace(/\..*/, "");

// What the form of a config holds, and what of it is sent.

import type { Schemas } from "@/api/client";
import { changes } from "@/changes";
import { fromPercent, toPercent } from "@/decimals";
import type { Config } from "../queries";

type Body = Schemas["LlmConfigBody"];
type Digits = string | number; // as number inputs give it; "" is nothing

export interface Values {
  name: string;
  provider: "openai" | "claude";
  target: "real" | "sandbox";
  compatible: boolean; // a server of one's own that speaks OpenAI's form
  base_url: string;
  api_key: string;
  model: string;
  prompt_template: string;
  max_tokens: Digits;
  temperature: Digits;
  effort: string;
  symbols: string[];
  interval: string;
  every: Digits;
  move: Digits; // per cent
  min_gap_s: Digits;
  symbols_per_call: Digits;
  horizon_s: Digits;
  deadline_s: Digits;
  cache_s: Digits;
  fallback: string;
  bot: string;
  show_signals: boolean;
  day_usd: Digits;
  month_usd: Digits;
  input_usd: Digits;
  output_usd: Digits;
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
  max_tokens: 2000,
  temperature: "",
  effort: "",
  symbols: [],
  interval: "1m",
  every: 15,
  move: "",
  min_gap_s: 60,
  symbols_per_call: 5,
  horizon_s: 3600,
  deadline_s: 60,
  cache_s: 300,
  fallback: "",
  bot: "",
  show_signals: false,
  day_usd: 1,
  month_usd: 20,
  input_usd: "",
  output_usd: "",
  is_active: true,
};

/** A stored config as the form shows it; its key never comes back. */
export function valuesOf(config: Config): Values {
  return {
    name: config.name,
    provider: config.provider === "claude" ? "claude" : "openai",
    target: config.target === "sandbox" ? "sandbox" : "real",
    compatible: config.base_url !== null,
    base_url: config.base_url ?? "",
    api_key: "",
    model: config.model,
    prompt_template: config.prompt_template,
    max_tokens: config.max_tokens,
    temperature: config.temperature ?? "",
    effort: config.effort ?? "",
    symbols: [...config.symbols],
    interval: config.interval,
    every: config.every ?? "",
    move: toPercent(config.move ?? ""),
    min_gap_s: config.min_gap_s,
    symbols_per_call: config.symbols_per_call,
    horizon_s: config.horizon_s,
    deadline_s: config.deadline_s,
    cache_s: config.cache_s,
    fallback: config.fallback ?? "",
    bot: config.bot ?? "",
    show_signals: config.show_signals,
    day_usd: config.budget.day_usd ?? "",
    month_usd: config.budget.month_usd ?? "",
    input_usd: config.price?.input_usd ?? "",
    output_usd: config.price?.output_usd ?? "",
    is_active: config.is_active,
  };
}

const text = (value: Digits): string | null => (value === "" ? null : String(value));
const whole = (value: Digits): number | null => (value === "" ? null : Number(value));

/** Every field as the interface takes it. */
export function bodyOf(values: Values): Body {
  const own = values.provider === "openai" && values.target === "real" && values.compatible;
  const priced = values.input_usd !== "" && values.output_usd !== "";
  return {
    name: values.name.trim(),
    provider: values.provider,
    target: values.target,
    base_url: own ? values.base_url.trim() : null,
    ...(values.provider === "openai" ? { wire: own ? ("chat" as const) : ("responses" as const) } : {}),
    model: values.model.trim(),
    prompt_template: values.prompt_template,
    max_tokens: whole(values.max_tokens),
    temperature: text(values.temperature),
    effort: (values.effort || null) as Body["effort"],
    symbols: values.symbols.map((one) => one.trim().toUpperCase()),
    interval: values.interval.trim(),
    every: whole(values.every),
    move: values.move === "" ? null : fromPercent(String(values.move)),
    min_gap_s: whole(values.min_gap_s),
    symbols_per_call: whole(values.symbols_per_call),
    horizon_s: whole(values.horizon_s),
    deadline_s: whole(values.deadline_s),
    cache_s: whole(values.cache_s),
    fallback: values.fallback || null,
    bot: values.bot || null,
    show_signals: values.show_signals,
    budget: { day_usd: text(values.day_usd), month_usd: text(values.month_usd) },
    price: priced ? { input_usd: String(values.input_usd), output_usd: String(values.output_usd) } : null,
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
  if (!values.name.trim()) found.name = "Give it a name.";
  if (!values.model.trim()) found.model = "Name the model as the provider does.";
  if (values.symbols.length === 0) found.symbols = "Add at least one symbol.";
  if (!/^[1-9][0-9]{0,2}[mhd]$/.test(values.interval.trim())) found.interval = "A number and m, h or d, such as 15m.";
  if (values.compatible && values.provider === "openai" && values.target === "real" && !values.base_url.trim())
    found.base_url = "Enter the server's address; it ends in /v1.";
  if ((values.input_usd === "") !== (values.output_usd === "")) {
    found[values.input_usd === "" ? "input_usd" : "output_usd"] = "Enter both prices, or neither.";
  }
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

const FIELDS: Record<string, keyof Values> = { "budget.day_usd": "day_usd", "budget.month_usd": "month_usd", "price.input_usd": "input_usd", "price.output_usd": "output_usd" };

/** The form's field that a problem of the interface is about. */
export function fieldOf(name: string): keyof Values | null {
  const found = FIELDS[name] ?? name.split(".")[0] ?? "";
  return found in NEW ? (found as keyof Values) : null;
}

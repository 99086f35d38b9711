// A bot as its form holds it: text for numbers, per cent for fractions; and the way back to what is sent.

import type { UseFormReturnType } from "@mantine/form";
import type { Schemas } from "@/api/client";
import { changes } from "@/changes";
import { sentAs, shownAs, type Spec, wrong } from "@/components/fields";
import { SOURCE_TYPES } from "@/format";
import { BUDGET, EXITS, LIFE, LIMITS, POLICY, PRIORITY, SIZED_BY, SIZING, type Sizing, THRESHOLD, TRUST } from "./specs";

export type Bot = Schemas["BotConfig"];
export type BotBody = Schemas["BotBody"];
type Policy = Required<Schemas["Policy"]>;
type SourceType = Schemas["SourceType"];

type Texts<K extends string> = Record<K, string>;

export interface BotValues extends Record<string, unknown> {
  id: string;
  name: string;
  account: string; // empty: a paper account of its own
  enabled: boolean;
  live: boolean;
  symbols: string[];
  sources: { source_type: SourceType; source_id: string; enabled: boolean }[];
  strategy_source: Required<Bot>["strategy_source"];
  approval: Required<Bot>["approval"];
  allow_short: boolean;
  flatten_lower: boolean;
  policy: Pick<Policy, "kind" | "hold" | "add_on_agreement"> & Texts<keyof typeof POLICY>;
  priorities: Texts<SourceType>;
  thresholds: Texts<SourceType>;
  trust: Texts<SourceType>;
  lives: Texts<SourceType>;
  sizing: Pick<Sizing, "kind" | "atr_interval"> & Texts<keyof typeof SIZING>;
  increments: string[]; // "BTC/USD 0.00001"
  limits: Texts<keyof typeof LIMITS>;
  wait_for_open: boolean;
  restricted: string[];
  budgets: Texts<SourceType>;
  exits: Texts<keyof typeof EXITS>;
}

type Given = Record<string, string | number | null | undefined> | undefined;

function texts<K extends string>(specs: Record<K, Spec>, given: Given): Texts<K> {
  const pairs = (Object.entries(specs) as [K, Spec][]).map(([name, spec]) => [name, shownAs(spec, given?.[name])]);
  return Object.fromEntries(pairs) as Texts<K>;
}

const perSource = (spec: Spec, given: Given): Texts<SourceType> =>
  Object.fromEntries(SOURCE_TYPES.map((type) => [type, shownAs(spec, given?.[type])])) as Texts<SourceType>;

export function valuesOf(bot: Bot): BotValues {
  const { policy, sizing, limits, exits } = bot as Required<Bot>;
  return {
    id: bot.id,
    name: bot.name,
    account: bot.account,
    enabled: bot.enabled ?? true,
    live: bot.live ?? false,
    symbols: [...(bot.symbols ?? [])],
    sources: bot.sources.map((rule) => ({ source_type: rule.source_type, source_id: rule.source_id ?? "", enabled: rule.enabled ?? true })),
    strategy_source: bot.strategy_source ?? "hybrid",
    approval: bot.approval ?? "auto",
    allow_short: bot.allow_short ?? false,
    flatten_lower: bot.flatten_lower ?? true,
    policy: {
      kind: policy.kind ?? "priority",
      hold: policy.hold ?? "abstain",
      add_on_agreement: policy.add_on_agreement ?? false,
      ...texts(POLICY, policy as Given),
    },
    priorities: perSource(PRIORITY, policy.priorities),
    thresholds: perSource(THRESHOLD, policy.thresholds),
    trust: perSource(TRUST, policy.trust),
    lives: perSource(LIFE, policy.times_to_live_s),
    sizing: {
      kind: sizing.kind ?? "fixed_notional",
      atr_interval: sizing.atr_interval ?? "1d",
      ...texts(SIZING, sizing as Given),
    },
    increments: Object.entries(sizing.increments ?? {}).map(([symbol, step]) => `${symbol} ${step}`),
    limits: texts(LIMITS, limits as Given),
    wait_for_open: limits.wait_for_open ?? true,
    restricted: [...(limits.restricted ?? [])].sort(),
    budgets: perSource(BUDGET, limits.source_budgets),
    exits: texts(EXITS, exits as Given),
  };
}

type Sent = Record<string, string | null>;
const numbers = <K extends string>(specs: Record<K, Spec>, values: Texts<K>): Sent =>
  Object.fromEntries((Object.entries(specs) as [K, Spec][]).map(([name, spec]) => [name, sentAs(spec, values[name])]));

/** Only those that say something. */
const said = (spec: Spec, values: Texts<SourceType>): Record<string, string> =>
  Object.fromEntries(SOURCE_TYPES.flatMap((type) => {
    const value = sentAs(spec, values[type]);
    return value === null || value === "" ? [] : [[type, value]];
  }));

function stepsOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => line.trim().split(/\s+/)).map(([symbol = "", step = ""]) => [symbol, step]));
}

/** Everything, as the interface wants it. Whole numbers may come as text; the gateway reads both. */
export function bodyOf(values: BotValues): BotBody {
  const whole = (spec: Spec, given: Texts<SourceType>) =>
    Object.fromEntries(Object.entries(said(spec, given)).map(([type, value]) => [type, Number(value)]));
  const body = {
    name: values.name.trim(),
    account: values.account || null,
    enabled: values.enabled,
    live: values.live,
    symbols: values.symbols,
    sources: values.sources.map((rule) => ({ ...rule, source_id: rule.source_id.trim() || null })),
    strategy_source: values.strategy_source,
    approval: values.approval,
    allow_short: values.allow_short,
    flatten_lower: values.flatten_lower,
    policy: {
      kind: values.policy.kind,
      hold: values.policy.hold,
      add_on_agreement: values.policy.add_on_agreement,
      ...numbers<keyof typeof POLICY>(POLICY, values.policy),
      priorities: whole(PRIORITY, values.priorities),
      thresholds: said(THRESHOLD, values.thresholds),
      trust: said(TRUST, values.trust),
      times_to_live_s: whole(LIFE, values.lives),
    },
    sizing: {
      kind: values.sizing.kind,
      atr_interval: values.sizing.atr_interval,
      ...numbers<keyof typeof SIZING>(SIZING, values.sizing),
      increments: stepsOf(values.increments),
    },
    limits: { ...numbers(LIMITS, values.limits), wait_for_open: values.wait_for_open, restricted: values.restricted, source_budgets: said(BUDGET, values.budgets) },
    exits: numbers(EXITS, values.exits),
  };
  return body as BotBody;
}

/** What has changed, number by number, under the bot's id. */
export const changesOf = (before: BotValues, after: BotValues): BotBody => ({
  id: before.id,
  ...changes(bodyOf(before), bodyOf(after), "policy", "sizing", "limits", "exits"),
});

/** A new bot: the whole of it; without an id one is made from its name. */
export function newBody(values: BotValues): BotBody {
  const body = bodyOf(values);
  return { ...body, id: values.id.trim() || null };
}

/** What stands in a form's field for a field of the interface. */
export function formPath(field: string): string {
  return field
    .replace(/^policy\.(priorities|thresholds|trust)\./, "$1.")
    .replace(/^policy\.times_to_live_s\./, "lives.")
    .replace(/^limits\.source_budgets\./, "budgets.")
    .replace(/^limits\.restricted.*/, "restricted")
    .replace(/^limits\.wait_for_open/, "wait_for_open")
    .replace(/^sizing\.increments.*/, "increments")
    .replace(/^symbols\..*/, "symbols");
}

/** What is wrong before anything is sent, by path. */
export function problemsOf(values: BotValues): Record<string, string> {
  const found: Record<string, string> = {};
  const check = <K extends string>(group: string, specs: Record<K, Spec>, given: Texts<K>, only?: readonly K[]) => {
    for (const name of only ?? (Object.keys(specs) as K[])) {
      const message = wrong(specs[name], given[name]);
      if (message) found[`${group}.${name}`] = message;
    }
  };
  if (!values.name.trim()) found.name = "A bot needs a name.";
  if (values.sources.length === 0) found.sources = "A bot listens to at least one source.";
  check("policy", POLICY, values.policy);
  check("sizing", SIZING, values.sizing, SIZED_BY[values.sizing.kind]);
  check("limits", LIMITS, values.limits);
  check("exits", EXITS, values.exits);
  for (const [group, spec] of [["priorities", PRIORITY], ["thresholds", THRESHOLD], ["trust", TRUST], ["lives", LIFE], ["budgets", BUDGET]] as const)
    check(group, Object.fromEntries(SOURCE_TYPES.map((type) => [type, spec])) as Record<SourceType, Spec>, values[group]);
  if (values.increments.some((line) => !/^\S+ +\d*\.?\d+$/.test(line.trim()))) found.increments = "Write a symbol and its step: BTC/USD 0.00001";
  return found;
}

export type BotForm = UseFormReturnType<BotValues>;

import type { Column } from "@/components/DataTable";
import { Action, State, Time } from "@/components/Values";
import * as f from "@/format";
import type { Decision } from "../queries";
import { TERMS } from "../terms";

/** BUY, or how the question ended when there is no answer. */
export function Answer({ decision }: { decision: Pick<Decision, "action" | "abstained" | "outcome"> }) {
  if (decision.outcome !== "answered") return <State state={decision.outcome} />;
  if (decision.abstained) return <span className="dim">Abstained</span>;
  return <Action action={decision.action ?? "hold"} />;
}

/** What became of it, in two or three words. */
export function became(decision: Pick<Decision, "signal_id" | "not_traded" | "outcome" | "action" | "dry_run">): string {
  if (decision.signal_id) return "signal";
  if (decision.dry_run) return "test, never traded";
  if (decision.outcome !== "answered") return f.NONE;
  return decision.not_traded ? f.words(decision.not_traded) : f.NONE;
}

/** What one reads first: the reasoning, or why there is none. */
const said = (one: Decision): string => one.reasoning || one.error || one.explanation;

const at: Column<Decision> = { id: "at", header: "Asked", width: "112px", tip: "Wall time of the answer.", cell: (one) => <Time at={one.created_at} /> };
const symbol: Column<Decision> = { id: "symbol", header: "Symbol", width: "62px", cell: (one) => one.symbol };
const answer: Column<Decision> = { id: "answer", header: "Answer", width: "100px", tip: TERMS.outcome, cell: (one) => <Answer decision={one} /> };
const confidence: Column<Decision> = { id: "confidence", header: "Confidence", width: "92px", right: true, tip: TERMS.confidence, cell: (one) => f.share(one.confidence) };
const reasoning: Column<Decision> = { id: "reasoning", header: "Reasoning", tip: "The model's own words, or why there is no answer.", width: "minmax(160px, 3fr)", cell: (one) => <span title={said(one)}>{said(one)}</span> };
const cost: Column<Decision> = { id: "cost", header: "Cost", tip: "What it cost to ask; ≈ where the provider has not told what the call used.", width: "64px", right: true, cell: (one) => <span title={one.cost_is_estimated ? TERMS.estimated : undefined}>{one.cost_is_estimated ? "≈ " : ""}{f.cost(one.cost_usd)}</span> };
const result: Column<Decision> = { id: "result", header: "Became", width: "112px", tip: "A signal, which each listening bot then judges, or why it became none.", cell: (one) => <span className={one.signal_id ? "" : "dim"}>{became(one)}</span> };

export const SHORT: readonly Column<Decision>[] = [at, symbol, answer, confidence, cost, { ...reasoning, width: "minmax(120px, 3fr)" }];

export const COLUMNS: readonly Column<Decision>[] = [
  at,
  symbol,
  answer,
  confidence,
  cost,
  result,
  reasoning,
  { id: "config", header: "Config", tip: "The configuration that asked.", width: "minmax(92px, 1fr)", cell: (one) => <span title={one.config_id}>{one.config_id}</span> },
  { id: "model", header: "Model", width: "minmax(112px, 1fr)", tip: TERMS.served, cell: (one) => <span title={one.served_model || one.model}>{one.served_model || one.model}</span> },
  { id: "prompt", header: "Prompt", width: "minmax(90px, 1fr)", tip: TERMS.version, cell: (one) => one.prompt_version || f.NONE },
  { id: "latency", header: "Took", tip: "From the question to the answer.", width: "70px", right: true, cell: (one) => f.took(one.latency_ms) },
];

export const rowLabel = (one: Decision): string =>
  `${one.outcome === "answered" ? (one.action ?? "hold") : f.words(one.outcome)} ${one.symbol} by ${one.config_id}`;

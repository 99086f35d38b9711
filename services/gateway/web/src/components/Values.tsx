// Single values as they stand in tables and cards.

import { Badge, type MantineColor } from "@mantine/core";
import * as f from "@/format";
import { useTicking } from "@/ticking";

/** Local time, or how long ago; the full time in UTC on hover. */
export function Time({ at, show = "dayTime" }: { at: string | null | undefined; show?: "time" | "dayTime" | "day" | "ago" }) {
  if (!at) return <>{f[show](at)}</>;
  return (
    <time dateTime={at} title={f.utc(at)}>
      {show === "ago" ? <Ago at={at} /> : f[show](at)}
    </time>
  );
}

function Ago({ at }: { at: string }) {
  return useTicking((now) => f.ago(at, now));
}

/** +$12.30, in the colour of its direction; the sign says it too. */
export function Change({ value, percent = false }: { value: string | number | null | undefined; percent?: boolean }) {
  return <span className={f.direction(value)}>{percent ? f.percent(value) : f.change(value)}</span>;
}

const ACTIONS: Record<string, string> = { buy: "up", sell: "down", close: "", hold: "" };

/** BUY, SELL, HOLD, CLOSE */
export function Action({ action }: { action: string }) {
  return <strong className={ACTIONS[action] ?? ""}>{action.toUpperCase()}</strong>;
}

const COLORS: Record<string, MantineColor> = {
  // verdicts
  accepted: "green", pending: "blue", suppressed: "gray", refused: "gray", declined: "red", lapsed: "gray",
  // orders
  filled: "green", partially_filled: "green", planned: "blue", submitting: "blue", cancel_pending: "blue",
  unknown: "red", denied: "red", rejected: "red", abandoned: "red",
  // whatever runs
  running: "green", live: "green", connected: "green", completed: "green", answered: "green", warming: "blue",
  deploying: "blue", queued: "blue", failed: "red", stopped: "gray", runtime_error: "red", invalid: "red",
  over_budget: "yellow", truncated: "yellow", warning: "yellow", critical: "red", info: "blue",
  sandbox: "grape", real: "teal",
};

/** A state in words, coloured. */
export function State({ state, title }: { state: string; title?: string }) {
  return (
    <Badge color={COLORS[state] ?? "gray"} title={title} maw="100%" flex="none">
      {f.sentence(state)}
    </Badge>
  );
}

/** Whose word it is: AI demo-openai */
export function Source({ type, id }: { type: string; id: string }) {
  return (
    <span title={f.source(type, id)}>
      <span className="dim">{f.sourceType(type)}</span>
      {type !== "manual" && ` ${id}`}
    </span>
  );
}

// How those stand who raise signals: the same words on every page.

const ENDED = ["stopped", "liquidated", "runtimeerror", "completed", "deployerror", "invalid", "deleted", "undefined"];

/** Whether something is deployed at QuantConnect that can be stopped. */
export const isLive = ({ status }: { status: string }): boolean =>
  status !== "Not deployed" && !ENDED.includes(status.toLowerCase());

export type Standing = "incomplete" | "switched off" | "connected" | "not connected" | "waiting";

interface Source {
  is_active: boolean;
  connected: boolean;
  last_ok_at?: string | null;
  last_error?: string | null;
  todo?: string;
}

/** Whether an account or a model answers; it waits while it was never asked. */
export function standing({ is_active: active, connected, last_ok_at: ok, last_error: error, todo }: Source): Standing {
  if (todo) return "incomplete";
  if (!active) return "switched off";
  if (connected) return "connected";
  return ok || error ? "not connected" : "waiting";
}

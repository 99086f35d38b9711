// How those stand who raise signals, and the bots that listen: the same words on every page.

import type { Schemas } from "@/api/client";

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

/** Why a bot that is switched on may open nothing: the kill switch stops it, or the executor has halted it. */
export function holdOf(
  bot: Pick<Schemas["BotConfig"], "id" | "account">,
  kill: Schemas["KillSwitch"],
  halts: readonly Pick<Schemas["AlertView"], "about">[],
): "stopped" | "halted" | null {
  if (kill.everything || kill.bots?.includes(bot.id) || kill.accounts?.includes(bot.account)) return "stopped";
  return halts.some((alert) => alert.about === `bot:${bot.id}`) ? "halted" : null;
}

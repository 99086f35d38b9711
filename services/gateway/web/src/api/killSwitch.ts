// What the kill switch stops, part by part. A change begins with what it is now, so that it undoes nobody else's.

import { api, must, type Schemas } from "./client";
import type { KillSwitch } from "./shared";

export type Scope = { kind: "everything" } | { kind: "bots" | "accounts"; id: string };
interface Change {
  scope: Scope;
  stop: boolean;
}

export const nameOf = (scope: Scope): string => (scope.kind === "everything" ? "everything" : `${scope.kind === "bots" ? "bot" : "account"} ${scope.id}`);

/** Every part that is stopped. */
export function stoppedIn(kill: KillSwitch): Scope[] {
  const named = (["bots", "accounts"] as const).flatMap((kind) => (kill[kind] ?? []).map((id): Scope => ({ kind, id })));
  return kill.everything ? [{ kind: "everything" }, ...named] : named;
}

/** The switch with one part stopped or released; all else as it was. */
export function changed(kill: KillSwitch, { scope, stop }: Change, reason: string): Schemas["KillSwitchBody"] {
  const body = { everything: kill.everything ?? false, accounts: [...(kill.accounts ?? [])], bots: [...(kill.bots ?? [])] };
  if (scope.kind === "everything") body.everything = stop;
  else {
    const others = body[scope.kind].filter((id) => id !== scope.id);
    body[scope.kind] = stop ? [...others, scope.id] : others;
  }
  return { ...body, reason: stop ? reason : (kill.reason ?? "") };
}

/** Stop or release parts of what the switch says now: somebody else may have changed it meanwhile. */
export async function change(scopes: readonly Scope[], stop: boolean, reason = ""): Promise<void> {
  const now = await must(api.GET("/api/kill-switch"));
  const body = scopes.reduce<KillSwitch>((kill, scope) => changed(kill, { scope, stop }, reason), now);
  await must(api.PUT("/api/kill-switch", { body: stoppedIn(body).length ? body : { ...body, reason: "" } }));
}

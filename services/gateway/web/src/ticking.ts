// One timer for all that stands on the page and changes as time passes.

import { useSyncExternalStore } from "react";

const TICK_MS = 1000;
let now = 0; // wall time in ms, as of the last tick
let timer = 0;
const watchers = new Set<() => void>();

function tick(): void {
  now = Date.now();
  watchers.forEach((call) => call());
}

function watch(call: () => void): () => void {
  if (watchers.size === 0) timer = window.setInterval(tick, TICK_MS);
  watchers.add(call);
  return () => {
    watchers.delete(call);
    if (watchers.size === 0) window.clearInterval(timer);
  };
}

/** What `read` makes of the wall time in ms, every second anew; draws again only when that is different. */
export function useTicking<T extends string | number>(read: (now: number) => T): T {
  return useSyncExternalStore(watch, () => {
    if (watchers.size === 0) now = Math.floor(Date.now() / TICK_MS) * TICK_MS; // nobody has kept it; two reads agree
    return read(now);
  });
}

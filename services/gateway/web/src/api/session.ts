// Whether the session has ended under an open page: it waits, with everything typed, until somebody has signed in again.

import { useSyncExternalStore } from "react";

let over = false;
const watchers = new Set<() => void>();

export function setSessionOver(next: boolean): void {
  over = next;
  watchers.forEach((call) => call());
}

export function useSessionOver(): boolean {
  return useSyncExternalStore(
    (call) => {
      watchers.add(call);
      return () => watchers.delete(call);
    },
    () => over,
  );
}

// The one cache of everything that was read. A query key begins with its topic: what `live.ts` refreshes by.

import { notifications } from "@mantine/notifications";
import { MutationCache, notifyManager, QueryCache, QueryClient, useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ApiError, refused } from "./client";
import { setSessionOver } from "./session";

const RETRIES = 2;

const again = (failures: number, error: Error): boolean => failures < RETRIES && !refused(error);

/** Once per page; tests make their own. */
export function newQueryClient(): QueryClient {
  const onError = (error: Error): void => {
    if (!(error instanceof ApiError) || error.status !== 401 || location.pathname === "/login") return;
    notifications.clean();
    if (client.getQueryData(["me"])) setSessionOver(true);
    else location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // "always": the gateway may be on this machine or in this house, whatever the browser thinks of the internet.
      queries: { networkMode: "always", staleTime: 30_000, retry: again, retryDelay: (n) => 500 * 2 ** n, refetchOnWindowFocus: false },
      mutations: { networkMode: "always", retry: false, gcTime: 0 }, // what was sent may be a secret: it is not kept
    },
  });
  return client;
}

/** Whether anything on the page could not be read again, or at all. */
export function useFailing(): boolean {
  const cache = useQueryClient().getQueryCache();
  return useSyncExternalStore(
    (call) => cache.subscribe(notifyManager.batchCalls(call)),
    () => cache.findAll({ type: "active" }).some(({ state }) => state.status === "error" && !refused(state.error)),
  );
}

// The one cache of everything that was read. A query key begins with its topic: what `live.ts` refreshes by.

import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";

const RETRIES = 2;

function onError(error: Error): void {
  if (!(error instanceof ApiError) || error.status !== 401 || location.pathname === "/login") return;
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

const again = (failures: number, error: Error): boolean =>
  failures < RETRIES && !(error instanceof ApiError && error.status >= 400 && error.status < 500);

/** Once per page; tests make their own. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { staleTime: 30_000, retry: again, retryDelay: (n) => 500 * 2 ** n, refetchOnWindowFocus: false },
      mutations: { retry: false },
    },
  });
}

// Queries that several pages use.

import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { withBooks } from "@/books";
import { useTicking } from "@/ticking";
import { api, must, type Schemas } from "./client";

export type Me = Schemas["Me"];
export type Market = Schemas["MarketView"];
export type KillSwitch = Schemas["KillSwitch"];

const CLOCK_MS = 10_000;
const AHEAD_MS = 15_000; // no further is the clock moved on without being read

export const useMe = () => useQuery({ queryKey: ["me"], queryFn: () => must(api.GET("/api/auth/me")), staleTime: 300_000 });
export const useKillSwitch = () => useQuery({ queryKey: ["kill-switch"], queryFn: () => must(api.GET("/api/kill-switch")) });
export const useFlags = () => useQuery({ queryKey: ["flags"], queryFn: () => must(api.GET("/api/flags")) });
export const useBots = () => useQuery({ queryKey: ["bots"], queryFn: () => must(api.GET("/api/bots")) });
export const useAccounts = () => useQuery({ queryKey: ["accounts"], queryFn: () => must(api.GET("/api/accounts")) });
export const usePositions = () =>
  useQuery({ queryKey: ["positions"], queryFn: () => must(api.GET("/api/positions")), select: withBooks });
export const useStrategies = () => useQuery({ queryKey: ["strategies"], queryFn: () => must(api.GET("/api/strategies")) });
export const useConnections = () =>
  useQuery({ queryKey: ["quantconnect-status"], queryFn: () => must(api.GET("/api/quantconnect/status")) });
export const useModels = () => useQuery({ queryKey: ["llm-status"], queryFn: () => must(api.GET("/api/ai-trading/status")) });
export const useBudgets = () => useQuery({ queryKey: ["llm-budgets"], queryFn: () => must(api.GET("/api/ai-trading/budgets")) });
export const useComparison = () =>
  useQuery({ queryKey: ["performance", "comparison"], queryFn: () => must(api.GET("/api/performance/comparison")) });
/** Which bots the executor has halted. */
export const useHalts = () =>
  useQuery({
    queryKey: ["alerts", "halted-bots"],
    queryFn: () => must(api.GET("/api/alerts", { params: { query: { active: true, code: ["bot_halted", "books_mismatch"], limit: 200 } } })),
  });
export const useMarket = () =>
  useQuery({ queryKey: ["market"], queryFn: () => must(api.GET("/api/market")), refetchInterval: CLOCK_MS });

/** Verdicts that wait for a person, the most urgent first; whether there are more says `next_cursor`. */
export const usePending = () =>
  useQuery({
    queryKey: ["verdicts", "pending"],
    queryFn: () => must(api.GET("/api/verdicts/pending", { params: { query: { limit: 200 } } })),
  });

/** Asked for in vain so far: nobody knows, also while it is asked for again. */
export const isUnread = ({ data, errorUpdateCount }: Pick<UseQueryResult, "data" | "errorUpdateCount">): boolean =>
  data === undefined && errorUpdateCount > 0;

const RANKS = ["viewer", "trader", "admin"];

/** Whether the person may do what a role may: hide or disable what the gateway would refuse. */
export function useMay(role: "trader" | "admin"): boolean {
  const { data } = useMe();
  return data !== undefined && RANKS.indexOf(data.role) >= RANKS.indexOf(role);
}

/** Market time now, moved on since it was read; it ticks every second. */
export function useMarketNow(): Date | null {
  const { data, dataUpdatedAt } = useMarket();
  const now = useTicking((wall) => wall);
  if (!data) return null;
  const passed = data.frozen ? 0 : Math.min(Math.max(0, now - dataUpdatedAt), AHEAD_MS);
  return new Date(Date.parse(data.now) + passed * (data.replay ? data.speed : 1));
}

/** Read topics again after something was changed: `await refresh("bots", "accounts")`. */
export function useRefresh(): (...topics: string[]) => Promise<void> {
  const client = useQueryClient();
  return async (...topics) => {
    await Promise.all(topics.map((topic) => client.invalidateQueries({ queryKey: [topic] })));
  };
}

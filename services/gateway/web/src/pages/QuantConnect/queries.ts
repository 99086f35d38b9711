// What the tabs of this page read. The first word of a key is the topic that live events refresh.

import { useQuery } from "@tanstack/react-query";
import { api, must, type Schemas } from "@/api/client";

export type Config = Schemas["ConnectionView"];
export type Status = Schemas["ConnectionStatus"];
export type Algorithm = Schemas["AlgorithmView"];
export type AlgorithmDetail = Schemas["AlgorithmDetail"];
export type Job = Schemas["JobView"];
export type Signal = Schemas["QuantConnectSignalView"];
export type Backtest = Schemas["BacktestView"];
export type BacktestDetail = Schemas["BacktestDetail"];

const WORKING_MS = 2000; // work in progress is looked at again, should its event be missed

export const useConfigs = () =>
  useQuery({ queryKey: ["quantconnect-config"], queryFn: () => must(api.GET("/api/quantconnect/config")) });

export const readAlgorithms = (refresh: boolean) =>
  must(api.GET("/api/quantconnect/algorithms", { params: { query: { limit: 200, refresh } } }));

export const useAlgorithms = () => useQuery({ queryKey: ["algorithms"], queryFn: () => readAlgorithms(false) });

export const readAlgorithm = (id: string, config: string, refresh: boolean) =>
  must(
    api.GET("/api/quantconnect/algorithms/{algorithm_id}", {
      params: { path: { algorithm_id: id }, query: { config, refresh } },
    }),
  );

export const useAlgorithm = (id: string, config: string) =>
  useQuery({ queryKey: ["algorithms", "one", config, id], queryFn: () => readAlgorithm(id, config, false) });

export const useJob = (id: string | undefined) =>
  useQuery({
    queryKey: ["jobs", id],
    queryFn: () => must(api.GET("/api/quantconnect/jobs/{job_id}", { params: { path: { job_id: id ?? "" } } })),
    enabled: Boolean(id),
    refetchInterval: ({ state }) => (state.data?.status === "running" ? WORKING_MS : false),
  });

export const usePerformance = () =>
  useQuery({
    queryKey: ["performance", "source"],
    queryFn: () => must(api.GET("/api/performance", { params: { query: { by: "source" } } })),
    select: ({ items }) => items.filter((one) => one.source_type === "quantconnect"),
  });

const isOver = (status: string | undefined): boolean => ["completed", "failed", "canceled"].includes(status ?? "");

export const useBacktest = (id: string) =>
  useQuery({
    queryKey: ["backtests", "one", id],
    queryFn: () => must(api.GET("/api/quantconnect/backtest/{backtest_id}", { params: { path: { backtest_id: id } } })),
    refetchInterval: ({ state }) => (state.data && !isOver(state.data.status) ? WORKING_MS : false),
  });

/** Curves never change once a backtest is done. */
export const useSeries = (id: string) =>
  useQuery({
    queryKey: ["backtest-series", id],
    queryFn: () =>
      must(api.GET("/api/quantconnect/backtest/{backtest_id}/series", { params: { path: { backtest_id: id } } })),
    staleTime: Infinity,
  });

// What the tabs of this page read. The first word of a key is the topic that live events refresh.

import { useQuery } from "@tanstack/react-query";
import { api, must, type Schemas } from "@/api/client";

export type Config = Schemas["LlmConfigView"];
export type Status = Schemas["LlmStatus"];
export type BudgetLine = Schemas["BudgetLine"];
export type Decision = Schemas["DecisionView"];
export type Part = Schemas["BreakdownView"];
export type Cost = Schemas["CostView"];
export type Prompt = Schemas["PromptView"];
export type Version = Schemas["VersionView"];
export type Variable = Schemas["VariableView"];
export type Calibration = Schemas["CalibrationView"];

export type Target = Schemas["Target"];
export type PartBy = "model" | "provider" | "config" | "symbol";
export type JudgedBy = "model" | "prompt" | "symbol" | "source";

export const useConfigs = () =>
  useQuery({ queryKey: ["llm-config"], queryFn: () => must(api.GET("/api/ai-trading/config")) });

export const useCosts = (period: "day" | "month", config: string | undefined, target: Target | undefined) =>
  useQuery({
    queryKey: ["llm-costs", period, config, target],
    queryFn: () =>
      must(api.GET("/api/ai-trading/costs", { params: { query: { period, config, target, limit: 60 } } })),
  });

export const useBreakdown = (by: PartBy, only: { config?: string; target?: Target } = {}) =>
  useQuery({
    queryKey: ["llm-costs", "by", by, only],
    queryFn: () => must(api.GET("/api/ai-trading/costs/breakdown", { params: { query: { by, ...only } } })),
  });

export const useCalibration = (by: JudgedBy, target: Target | undefined) =>
  useQuery({
    queryKey: ["calibration", by, target],
    queryFn: () => must(api.GET("/api/calibration", { params: { query: { by, source_type: "llm", target } } })),
  });

export const usePrompts = () =>
  useQuery({ queryKey: ["prompts"], queryFn: () => must(api.GET("/api/ai-trading/prompts")) });

export const useVersions = (promptId: string | null) =>
  useQuery({
    queryKey: ["prompts", "versions", promptId],
    queryFn: () =>
      must(
        api.GET("/api/ai-trading/prompts/{prompt_id}/versions", {
          params: { path: { prompt_id: promptId ?? "" }, query: { limit: 100 } },
        }),
      ),
    enabled: promptId !== null,
  });

export const useVariables = () =>
  useQuery({
    queryKey: ["prompt-variables"],
    queryFn: () => must(api.GET("/api/ai-trading/variables")),
    staleTime: Infinity,
  });

/** The newest of those at 50, 80 and 100 %. */
export const useBudgetAlerts = () =>
  useQuery({
    queryKey: ["alerts", "budgets"],
    queryFn: () => must(api.GET("/api/alerts", { params: { query: { code: ["budget_50", "budget_80", "budget_100"], limit: 10 } } })),
    select: (found) => found.items,
  });

import { useQuery } from "@tanstack/react-query";
import { api, must } from "@/api/client";

export const useSummary = () => useQuery({ queryKey: ["summary"], queryFn: () => must(api.GET("/api/equity/today")) });
/** Which bots the executor has halted. */
export const useHalts = () =>
  useQuery({
    queryKey: ["alerts", "bot_halted"],
    queryFn: () => must(api.GET("/api/alerts", { params: { query: { active: true, code: ["bot_halted"], limit: 200 } } })),
  });
export const useQuantConnect = () =>
  useQuery({ queryKey: ["quantconnect-status"], queryFn: () => must(api.GET("/api/quantconnect/status")) });
export const useModels = () => useQuery({ queryKey: ["llm-status"], queryFn: () => must(api.GET("/api/ai-trading/status")) });
export const useStrategies = () => useQuery({ queryKey: ["strategies"], queryFn: () => must(api.GET("/api/strategies")) });

import { useQuery } from "@tanstack/react-query";
import { api, must } from "@/api/client";

export const useSummary = () => useQuery({ queryKey: ["summary"], queryFn: () => must(api.GET("/api/equity/today")) });
/** Which bots the executor has halted. */
export const useHalts = () =>
  useQuery({
    queryKey: ["alerts", "halted-bots"],
    queryFn: () => must(api.GET("/api/alerts", { params: { query: { active: true, code: ["bot_halted", "books_mismatch"], limit: 200 } } })),
  });

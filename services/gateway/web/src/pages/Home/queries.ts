import { useQuery } from "@tanstack/react-query";
import { api, must } from "@/api/client";

export const useSummary = () => useQuery({ queryKey: ["summary"], queryFn: () => must(api.GET("/api/equity/today")) });

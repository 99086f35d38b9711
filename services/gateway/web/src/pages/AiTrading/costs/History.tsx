import { Text } from "@mantine/core";
import { useMemo } from "react";
import { useBudgets } from "@/api/shared";
import { type Bar, BarChart } from "@/components/BarChart";
import { Loaded } from "@/components/Loaded";
import * as f from "@/format";
import { type Cost, type Target, useCosts } from "../queries";
import { bars, periods } from "./bars";

const IN_SIGHT = 0.1; // of a budget: below, its line would press the bars flat
const MOST = { day: 30, month: 12 } as const;

interface Props {
  period: "day" | "month";
  config?: string;
  target?: Target;
}

/** What was spent in each day or month, under the budget's line. */
export function History({ period, config, target }: Props) {
  return (
    <Loaded query={useCosts(period, config, target)} height={220}>
      {({ items }) => <Bars period={period} config={config} costs={items} />}
    </Loaded>
  );
}

function Bars({ period, config, costs }: { period: "day" | "month"; config?: string; costs: readonly Cost[] }) {
  const budgets = useBudgets().data?.items;
  const line = budgets?.find((one) => one.scope === (config ?? "total") && one.period === period);
  const shown = useMemo(() => bars(costs, periods(period, MOST[period], new Date())), [costs, period]);
  const limit = line?.limit_usd ?? null;
  const highest = shown.reduce<Bar | null>((best, bar) => (bar.value > (best?.value ?? 0) ? bar : best), null);
  const near = limit !== null && highest !== null && highest.value >= Number(limit) * IN_SIGHT;
  const budget = limit === null ? "" : `budget ${f.cost(limit)}`;
  return (
    <>
      <BarChart
        label={period === "day" ? "Cost of each day" : "Cost of each month"}
        bars={shown}
        limit={near ? { value: Number(limit), text: budget } : null}
        height={170}
      />
      <Text size="xs" c="dimmed" mt={4}>
        {highest ? `Highest: ${highest.text.split(",")[0]}, ${highest.label}.` : "Nothing was spent in this time."}
        {limit !== null && highest && !near && ` The ${budget} lies far above.`}
      </Text>
    </>
  );
}

import { Anchor, Stack } from "@mantine/core";
import { Link } from "react-router";
import { useBudgets } from "@/api/shared";
import { BudgetBar } from "@/components/BudgetBar";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";

/** What language models have cost, against what they may. */
export function Spend() {
  return (
    <Panel
      title="AI spend"
      tip="What language models have cost in this day and month (real time, UTC), of all models together, against the budget. No call is made that could go over it."
      actions={<Anchor component={Link} to="/ai-trading/costs" size="sm">Costs</Anchor>}
    >
      <Loaded query={useBudgets()} height={140}>
        {({ items }) => (
          <Stack gap="md">
            {items.filter((line) => line.scope === "total").map((line) => <BudgetBar key={line.period} line={line} />)}
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

import { Anchor, Group, Progress, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, must, type Schemas } from "@/api/client";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import * as f from "@/format";

type Line = Schemas["BudgetLine"];

const NEAR = 0.8; // of the limit, from where it is shown in amber

/** What language models have cost, against what they may. */
export function Spend() {
  const query = useQuery({ queryKey: ["llm-budgets"], queryFn: () => must(api.GET("/api/ai-trading/budgets")) });
  return (
    <Panel
      title="AI spend"
      tip="What language models have cost in this day and month (real time, UTC), of all models together, against the budget. No call is made that could go over it."
      actions={<Anchor component={Link} to="/ai-trading/costs" size="sm">Costs</Anchor>}
    >
      <Loaded query={query} height={140}>
        {({ items }) => (
          <Stack gap="md">
            {items.filter((line) => line.scope === "total").map((line) => <Budget key={line.period} line={line} />)}
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

function Budget({ line }: { line: Line }) {
  const name = line.period === "day" ? "Today" : "This month";
  const limit = line.limit_usd === null ? null : Number(line.limit_usd);
  const used = limit ? Math.min(1, (Number(line.spent_usd) + Number(line.reserved_usd)) / limit) : 0;
  const said = limit === null ? `${f.cost(line.spent_usd)}, no limit` : `${f.cost(line.spent_usd)} of ${f.money(line.limit_usd)}`;
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm" fw={600}>{name}</Text>
        <Text size="sm" className="number">{said}</Text>
      </Group>
      {limit !== null && (
        <Progress value={used * 100} color={used >= 1 ? "red" : used >= NEAR ? "yellow" : "brand"} aria-label={`${name}: ${said}`} />
      )}
      <Text size="xs" c="dimmed" mt={4}>
        {limit === null ? "Set a budget under AI trading, costs." : `${f.cost(line.left_usd)} left`}
        {Number(line.reserved_usd) > 0 && `, ${f.cost(line.reserved_usd)} set aside for calls under way`}
      </Text>
    </div>
  );
}

import { Alert, Stack, Text } from "@mantine/core";
import { useBudgets } from "@/api/shared";
import { BudgetBar } from "@/components/BudgetBar";
import { Loaded } from "@/components/Loaded";
import { Time } from "@/components/Values";
import { useBudgetAlerts } from "../queries";

const SHOWN = 2;

/** Today and this month of all models together, and what was said about budgets last. */
export function Spending() {
  const budgets = useBudgets();
  const alerts = useBudgetAlerts().data?.slice(0, SHOWN);
  return (
    <Loaded query={budgets} height={130}>
      {({ items }) => (
        <Stack gap="md">
          {items
            .filter((line) => line.scope === "total")
            .map((line) => (
              <BudgetBar key={line.period} line={line} />
            ))}
          {alerts?.map((alert) => (
            <Alert key={alert.id} role="note" color={alert.severity === "info" ? "blue" : "yellow"} variant="light" p="sm">
              <Text size="sm">{alert.message}</Text>
              <Text size="xs"><Time at={alert.at} show="ago" /></Text>
            </Alert>
          ))}
          {alerts?.length === 0 && <Text size="sm" c="dimmed">No budget has reached 50 %. Days and months are of wall time, UTC.</Text>}
        </Stack>
      )}
    </Loaded>
  );
}

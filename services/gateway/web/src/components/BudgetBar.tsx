import { Group, Progress, Stack, Text } from "@mantine/core";
import type { Schemas } from "@/api/client";
import * as f from "@/format";

type Line = Schemas["BudgetLine"];

const STEPS = [50, 80]; // per cent, where an alert is raised before all is spent

/** How full a budget is, in per cent; what is set aside counts. 0 where there is no limit. */
export function fullness(line: Line): { spent: number; reserved: number } {
  const limit = Number(line.limit_usd ?? 0);
  if (line.limit_usd === null) return { spent: 0, reserved: 0 };
  if (limit === 0) return { spent: 100, reserved: 0 };
  const spent = Math.min(100, (Number(line.spent_usd) / limit) * 100);
  return { spent, reserved: Math.min(100 - spent, (Number(line.reserved_usd) / limit) * 100) };
}

const tone = (percent: number): string => (percent >= 100 ? "red" : percent >= 80 ? "yellow" : "brand");

/** One budget: what is spent, what is set aside, what is left. */
export function BudgetBar({ line }: { line: Line }) {
  const label = line.period === "day" ? "Today" : "This month";
  const { spent, reserved } = fullness(line);
  const percent = Math.round(spent + reserved);
  const set = Number(line.reserved_usd) > 0 ? ` · ${f.cost(line.reserved_usd)} set aside` : "";
  const limit = line.limit_usd === null ? "no limit" : Number(line.limit_usd) === 0 ? "no call is allowed" : `of ${f.cost(line.limit_usd)}, ${Number(line.left_usd) > 0 ? `${f.cost(line.left_usd)} left` : "nothing left"}`;
  return (
    <Stack gap={4} role="group" aria-label={label}>
      <Group justify="space-between" gap="sm">
        <Text size="sm" fw={600}>{label}</Text>
        <Text size="sm" className="number">
          {f.cost(line.spent_usd)} <span className="dim">{limit}{set}</span>
        </Text>
      </Group>
      {line.limit_usd !== null && (
        <div className="budget-bar">
          <Progress.Root size="lg">
            <Progress.Section value={spent} color={tone(percent)} aria-label={`${label}: ${percent} % used`} />
            <Progress.Section value={reserved} color="gray" aria-label={`${label}: set aside`} />
          </Progress.Root>
          {STEPS.map((step) => (
            <i key={step} style={{ left: `${step}%` }} title={`${step} %`} aria-hidden />
          ))}
        </div>
      )}
      {line.left_usd !== null && Number(line.left_usd) <= 0 && Number(line.limit_usd) > 0 && (
        <Text size="xs" className="down">
          {line.scope === "total" ? "No model is" : "This model is not"} asked until {line.period === "day" ? "00:00 UTC" : "the month ends (UTC)"}, or the limit is raised.
        </Text>
      )}
      {Number(line.unknown_usd) > 0 && (
        <Text size="xs" className="warn">
          {f.cost(line.unknown_usd)} of it belongs to calls whose cost nobody knows yet.
        </Text>
      )}
    </Stack>
  );
}

import { Card, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { InfoTip } from "./InfoTip";

interface Props {
  label: string;
  tip: string;
  value: ReactNode;
  /** Beside the value, small. */
  note?: ReactNode;
  tone?: "up" | "down" | "warn" | "";
}

/** One figure with its name and its meaning. */
export function StatCard({ label, tip, value, note, tone = "" }: Props) {
  return (
    <Card component="section" aria-label={label}>
      <Group gap={2} wrap="nowrap">
        <Text size="sm" c="dimmed">{label}</Text>
        <InfoTip about={label}>{tip}</InfoTip>
      </Group>
      <Group gap="sm" align="baseline">
        <Text className={`value ${tone}`} component="span">{value}</Text>
        {note && <Text size="sm" c="dimmed" component="span">{note}</Text>}
      </Group>
    </Card>
  );
}

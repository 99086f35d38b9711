import { Card, Group, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorBoundary } from "./ErrorBoundary";
import { InfoTip } from "./InfoTip";

interface Props {
  title: string;
  tip?: string;
  /** At the right of the title: links, switches. */
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}

/** A titled card that fails by itself. */
export function Panel({ title, tip, actions, children, className }: Props) {
  return (
    <Card component="section" aria-label={title} className={className}>
      <Group justify="space-between" mb="sm" gap="sm" wrap="wrap">
        <Group gap="xs" wrap="nowrap">
          <Title order={2}>{title}</Title>
          {tip && <InfoTip about={title}>{tip}</InfoTip>}
        </Group>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      <ErrorBoundary what={title}>{children}</ErrorBoundary>
    </Card>
  );
}

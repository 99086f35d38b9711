import { Card, Group, Text, Title } from "@mantine/core";
import { IconArrowRight, IconBrain, IconChartCandle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useConnections, useModels } from "@/api/shared";
import * as f from "@/format";
import { isLive } from "@/standing";

/** Cards that lead on. */
export function Places() {
  const { data: connections } = useConnections();
  const { data: models } = useModels();
  const algorithms = connections?.items.flatMap((one) => one.algorithms ?? []) ?? [];
  const running = algorithms.filter(isLive).length;
  const decisions = models?.items.reduce((sum, one) => sum + one.decisions_today, 0) ?? 0;
  const active = models?.items.filter((one) => one.is_active).length ?? 0;
  return (
    <>
      <Place to="/quantconnect" title="QuantConnect" icon={<IconChartCandle size={28} aria-hidden />}>
        {connections ? `${running} of ${algorithms.length} algorithms running. ` : ""}
        Signals as they come, backtests, deploy and stop.
      </Place>
      <Place to="/ai-trading" title="AI trading" icon={<IconBrain size={28} aria-hidden />}>
        {models ? `${active} active ${active === 1 ? "model" : "models"}, ${f.count(decisions)} decisions today. ` : ""}
        Decisions with their reasons, prompts, costs.
      </Place>
    </>
  );
}

function Place({ to, title, icon, children }: { to: string; title: string; icon: ReactNode; children: ReactNode }) {
  return (
    <Card component={Link} to={to} className="half place">
      <Group wrap="nowrap" gap="md">
        {icon}
        <div className="grows">
          <Title order={2}>{title}</Title>
          <Text size="sm" c="dimmed">{children}</Text>
        </div>
        <IconArrowRight size={20} aria-hidden />
      </Group>
    </Card>
  );
}

import { Anchor, Group, List, Text, ThemeIcon } from "@mantine/core";
import { IconCheck, IconCircleDashed } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useBots, useConnections, useMay, useModels, useStrategies } from "@/api/shared";
import { Panel } from "@/components/Panel";

const to = (path: string, text: string) => <Anchor component={Link} to={path} inherit>{text}</Anchor>;

/** What is still missing before anything can be traded; nothing once a source and a bot are there. */
export function FirstSteps() {
  const may = useMay("admin");
  const bots = useBots().data?.items;
  const sources = [useConnections().data?.items, useModels().data?.items, useStrategies().data?.items];
  if (!bots || sources.some((items) => !items)) return null;
  const [speaks, listens] = [sources.some((items) => items?.length), bots.length > 0];
  if (speaks && listens) return null;
  return (
    <Panel title="First steps">
      <List spacing="sm" size="sm" listStyleType="none" pl={0}>
        <Step done={speaks}>
          <strong>Add a source</strong> that raises signals: {to("/quantconnect/configuration", "a QuantConnect account")},{" "}
          {to("/ai-trading/configuration?config=new", "a language model")} or {to("/settings/strategies", "a classic strategy")}. The first two can be tried on the sandbox, without an account anywhere.
        </Step>
        <Step done={listens}>
          <strong>{may ? to("/settings?bot=new", "Create a bot") : "Create a bot"}</strong> that listens to it. It trades on a paper account of its own: no money moves.
        </Step>
        <Step done={false}>
          <strong>Watch</strong> what it makes of each signal, and why: here and under {to("/activity", "Activity")}.
        </Step>
      </List>
    </Panel>
  );
}

function Step({ done = false, children }: { done?: boolean; children: ReactNode }) {
  const Icon = done ? IconCheck : IconCircleDashed;
  return (
    <List.Item icon={<ThemeIcon variant="light" size="sm" radius="xl" color={done ? "green" : "gray"}><Icon size={14} aria-label={done ? "Done:" : "To do:"} /></ThemeIcon>}>
      <Group gap={4}><Text size="sm" c={done ? "dimmed" : undefined}>{children}</Text></Group>
    </List.Item>
  );
}

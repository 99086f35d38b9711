import { Anchor, Badge, Code, Group, List, Text } from "@mantine/core";
import { Link } from "react-router";
import { useAccounts, useBots, useMarket } from "@/api/shared";
import { Panel } from "@/components/Panel";

/** Why one click never moves real money: three switches in three hands, and where each stands. */
export function LiveSwitches() {
  const { data: accounts } = useAccounts();
  const { data: bots } = useBots();
  const { data: market } = useMarket();
  const live = accounts?.items.filter((account) => account.mode === "live") ?? [];
  const allowed = bots?.items.filter((bot) => bot.live) ?? [];
  return (
    <Panel title="Three switches to real money" tip="All three must be on before an order can leave for a live account. Each is set in another place, so that no single slip moves money.">
      <List type="ordered" spacing="md" size="sm">
        <List.Item>
          <Switched on={live.length > 0} name="The account" /> is at a broker in the mode <strong>live</strong>, with its own keys.{" "}
          {live.length ? `Live accounts: ${live.map((account) => account.id).join(", ")}.` : "No account is live."} It is chosen when the account is
          added and cannot be changed afterwards.
        </List.Item>
        <List.Item>
          <Switched on={allowed.length > 0} name="The bot" /> says that it may trade real money.{" "}
          {allowed.length ? `So say: ${allowed.map((bot) => bot.id).join(", ")}.` : "No bot says so."} The switch is in the{" "}
          <Anchor component={Link} to="/settings" size="sm" underline="always">form of a bot</Anchor> whose account is live, and asks for a typed word.
        </List.Item>
        <List.Item>
          <strong>The executor</strong> was started with <Code>SIGNALBOX_ALLOW_LIVE=1</Code>. Only who runs the machine can set it; this page cannot
          see it. Without it every order to a live account is denied, and the denial says so.
        </List.Item>
      </List>
      {market?.replay && (
        <Text size="sm" c="dimmed" mt="md">
          Prices are replayed now: whatever the switches say, no order reaches a broker&apos;s real account.
        </Text>
      )}
    </Panel>
  );
}

function Switched({ on, name }: { on: boolean; name: string }) {
  return (
    <Group gap={6} component="span" display="inline-flex">
      <strong>{name}</strong>
      <Badge color={on ? "red" : "gray"} component="span">
        {on ? "On" : "Off"}
      </Badge>
    </Group>
  );
}

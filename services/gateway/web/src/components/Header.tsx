import { ActionIcon, Anchor, Badge, Burger, Group, Menu, Text, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconBook, IconLogout, IconMoon, IconSettings, IconSun, IconUser } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import { api, must } from "@/api/client";
import { type LiveStatus, useLiveStatus } from "@/api/live";
import { useFailing } from "@/api/query";
import { isUnread, useAccounts, useMarket, useMarketNow, useMe } from "@/api/shared";
import { utc } from "@/format";
import { KillSwitchButton } from "./KillSwitch";
import { failed } from "./toasts";

const LIVE: Record<LiveStatus, [string, string]> = {
  connecting: ["Connecting…", "blue"],
  live: ["Live", "green"],
  lost: ["Reconnecting…", "yellow"],
  paused: ["Paused", "gray"],
};
const STALE = ["Not up to date", "yellow"] as const; // events come, and what they tell of cannot be read

export function Header({ opened, toggle }: { opened: boolean; toggle: () => void }) {
  return (
    <Group h="100%" px={{ base: "sm", sm: "md" }} gap="sm" wrap="nowrap" justify="space-between">
      <Group gap="sm" wrap="nowrap">
        <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
        <Anchor component={Link} to="/" className="brand" aria-label="Signalbox, overview">
          <img src="/icon.svg" alt="" width={26} height={26} />
          <span className="wide">Signalbox</span>
        </Anchor>
        <Modes />
      </Group>
      <Group gap="sm" wrap="nowrap">
        <Clock />
        <LiveBadge />
        <KillSwitchButton />
        <ThemeToggle />
        <UserMenu />
      </Group>
    </Group>
  );
}

/** Whether prices and money are real. */
export function Modes() {
  const [clock, owned] = [useMarket(), useAccounts()];
  const [market, accounts] = [clock.data, owned.data];
  const live = accounts?.items.some((account) => account.mode === "live" && account.bot);
  const paper = accounts?.items.some((account) => account.mode !== "live");
  return (
    <Group gap={4} wrap="nowrap">
      {(isUnread(clock) || isUnread(owned)) && (
        <Tooltip label="It could not be read whether prices and money are real. Take both for real.">
          <Badge color="red" className="mode">Mode unknown</Badge>
        </Tooltip>
      )}
      {market?.replay && (
        <Tooltip label="Recorded prices are played again, as if it were then. Nothing here is a price of today.">
          <Badge color="yellow" className={market.frozen ? "mode wide" : "mode"}>
            Replay{market.speed !== 1 && <span className="wide"> ×{market.speed}</span>}
          </Badge>
        </Tooltip>
      )}
      {paper && (
        <Tooltip label="Orders are filled by a simulated broker: no money moves.">
          <Badge color="blue" className="mode">Paper</Badge>
        </Tooltip>
      )}
      {live && (
        <Tooltip label="At least one bot trades real money.">
          <Badge color="red" variant="filled" className="mode">Live money</Badge>
        </Tooltip>
      )}
      {market?.frozen && (
        <Tooltip label="The market clock is not renewed: no new risk is taken until it goes on.">
          <Badge color="red" className="mode">Clock stopped</Badge>
        </Tooltip>
      )}
    </Group>
  );
}

function Clock() {
  const now = useMarketNow();
  if (!now) return null;
  return (
    <Tooltip label="Market time: what the bots take for now.">
      <Text size="sm" c="dimmed" className="number" visibleFrom="md" component="time" dateTime={now.toISOString()}>
        {utc(now.toISOString())}
      </Text>
    </Tooltip>
  );
}

function LiveBadge() {
  const status = useLiveStatus();
  const failing = useFailing();
  const [text, color] = failing && status === "live" ? STALE : LIVE[status];
  return (
    <Badge color={color} variant="dot" role="status" className="live" aria-label={`Connection: ${text}`}>
      <span className="wide">{text}</span>
    </Badge>
  );
}

function ThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const next = scheme === "dark" ? "light" : "dark";
  return (
    <ActionIcon size="lg" onClick={() => setColorScheme(next)} aria-label={`Use the ${next} theme`} visibleFrom="xs">
      {scheme === "dark" ? <IconSun size={18} aria-hidden /> : <IconMoon size={18} aria-hidden />}
    </ActionIcon>
  );
}

function UserMenu() {
  const { data: me } = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const other = useComputedColorScheme("light") === "dark" ? "light" : "dark";
  const signOut = async () => {
    try {
      await must(api.POST("/api/auth/logout"));
    } catch (error) {
      return failed(error as Error);
    }
    client.clear();
    notifications.clean();
    void navigate("/login");
  };
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <ActionIcon size="lg" aria-label="Account">
          <IconUser size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item hiddenFrom="xs" onClick={() => setColorScheme(other)} leftSection={<IconMoon size={16} aria-hidden />}>
          Use the {other} theme
        </Menu.Item>
        {me && <Menu.Label>{`${me.username}, ${me.role}`}</Menu.Label>}
        <Menu.Item component={Link} to="/settings" leftSection={<IconSettings size={16} aria-hidden />}>
          Settings
        </Menu.Item>
        <Menu.Item component="a" href="/api/docs" leftSection={<IconBook size={16} aria-hidden />}>
          REST interface
        </Menu.Item>
        <Menu.Item onClick={() => void signOut()} leftSection={<IconLogout size={16} aria-hidden />}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

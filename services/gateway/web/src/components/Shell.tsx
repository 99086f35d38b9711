import { Anchor, AppShell, NavLink, Skeleton, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBrain, IconChartCandle, IconHome, IconListDetails, IconSettings } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { useLive } from "@/api/live";
import { useMe } from "@/api/shared";
import { times } from "@/prefs";
import { AlertNotices } from "./AlertNotices";
import { ChainDialog } from "./ChainDialog";
import { ErrorBoundary } from "./ErrorBoundary";
import { Header } from "./Header";
import { KillSwitchBanner } from "./KillSwitch";
import { Problem } from "./Loaded";
import { SignInDialog } from "./SignIn";

const PLACES = [
  { to: "/", label: "Overview", Icon: IconHome },
  { to: "/quantconnect", label: "QuantConnect", Icon: IconChartCandle },
  { to: "/ai-trading", label: "AI trading", Icon: IconBrain },
  { to: "/activity", label: "Activity", Icon: IconListDetails },
  { to: "/settings", label: "Settings", Icon: IconSettings },
];

/** Lets in who is signed in; everybody else is led to the sign-in by the query's 401. */
export function Guard() {
  const me = useMe();
  if (me.data) return <Shell />;
  if (me.error) {
    return (
      <main className="lonely">
        <Problem error={me.error} what="Signalbox cannot be reached" retry={() => void me.refetch()} busy={me.isFetching} />
      </main>
    );
  }
  return <Skeleton h="100dvh" radius={0} role="status" aria-label="Loading" />;
}

function Shell() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  useLive();
  useEffect(() => close(), [pathname, close]);
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 200, breakpoint: "sm", collapsed: { mobile: !opened } }} padding={0}>
      <a href="#main" className="skip">
        Skip to content
      </a>
      <AppShell.Header>
        <Header opened={opened} toggle={toggle} />
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Main">
        {PLACES.map(({ to, label, Icon }) => (
          <NavLink
            key={to}
            component={Link}
            to={to}
            label={label}
            leftSection={<Icon size={18} aria-hidden />}
            active={to === "/" ? pathname === "/" : pathname.startsWith(to)}
            aria-current={(to === "/" ? pathname === "/" : pathname.startsWith(to)) ? "page" : undefined}
          />
        ))}
        <Text size="xs" c="dimmed" mt="auto" p="sm">
          {times() === "utc" ? "All times in UTC." : "Local times; UTC on hover."} Charts by{" "}
          <Anchor href="https://www.tradingview.com/" rel="noreferrer" size="xs" underline="always">
            TradingView
          </Anchor>
          .
        </Text>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <KillSwitchBanner />
        <div className="content">
          <ErrorBoundary what="This page" key={pathname.split("/")[1]}>
            <Outlet />
          </ErrorBoundary>
        </div>
      </AppShell.Main>
      <ChainDialog />
      <AlertNotices />
      <SignInDialog />
    </AppShell>
  );
}

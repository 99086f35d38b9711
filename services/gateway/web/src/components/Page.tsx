import { Group, Stack, Tabs, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router";
import { ErrorBoundary } from "./ErrorBoundary";

interface Props {
  title: string;
  /** One sentence under the title. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of every page: its title, also in the tab of the browser. */
export function Page({ title, lead, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Signalbox`;
  }, [title]);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-end" gap="sm">
        <div>
          <Title order={1}>{title}</Title>
          {lead && <Text c="dimmed" size="sm">{lead}</Text>}
        </div>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}

export interface Tab {
  /** Last part of the address; empty for the first tab. */
  path: string;
  label: string;
  render: () => ReactNode;
}

// Tabs need a value; the first one has an empty path.
const valueOf = (tab: Tab | undefined): string => tab?.path || "first";

/** Tabs that are in the address: `base` and `base/path`. */
export function PageTabs({ base, label, tabs }: { base: string; label: string; tabs: readonly Tab[] }) {
  const navigate = useNavigate();
  const here = useLocation().pathname.slice(base.length).split("/")[1] ?? "";
  const active = tabs.find((tab) => tab.path === here) ?? tabs[0];
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a phone the tab that is open may stand outside of the list.
    list.current?.querySelector("[data-active]")?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  }, [active?.path]);
  return (
    <Tabs
      value={valueOf(active)}
      onChange={(value) => {
        const path = tabs.find((tab) => valueOf(tab) === value)?.path;
        void navigate(path ? `${base}/${path}` : base);
      }}
      keepMounted={false}
    >
      <Tabs.List ref={list} aria-label={label} className="page-tabs">
        {tabs.map((tab) => (
          <Tabs.Tab key={tab.path} value={valueOf(tab)}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {active && (
        <Tabs.Panel value={valueOf(active)} pt="md">
          <ErrorBoundary key={active.path} what={active.label}>
            <Stack gap="md">{active.render()}</Stack>
          </ErrorBoundary>
        </Tabs.Panel>
      )}
    </Tabs>
  );
}

import { Anchor, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, must } from "@/api/client";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { State, Time } from "@/components/Values";
import { sentence } from "@/format";

const MOST = 20;

/** What is wrong now. */
export function Alerts() {
  const query = useQuery({
    queryKey: ["alerts", "active"],
    queryFn: () => must(api.GET("/api/alerts", { params: { query: { active: true, limit: MOST } } })),
  });
  return (
    <Panel
      title="Alerts"
      tip="What is wrong now and wants a look. An alert goes away by itself when its cause is gone."
      className="fills"
      actions={<Anchor component={Link} to="/activity/alerts?active=true" size="sm">All alerts</Anchor>}
    >
      <Loaded query={query} height={120} empty="All is well: nothing wants your attention.">
        {({ items, next_cursor: next }) => (
          <Stack gap="sm" className="scrolls" tabIndex={0} role="group" aria-label="Active alerts">
            {items.map((alert) => (
              <div key={alert.id} className="entry">
                <Group gap="sm" wrap="nowrap" justify="space-between">
                  <Group gap="sm" wrap="nowrap">
                    <State state={alert.severity} />
                    <Text size="sm" fw={600}>{sentence(alert.code)}</Text>
                  </Group>
                  <Text size="xs" c="dimmed"><Time at={alert.at} show="dayTime" /></Text>
                </Group>
                <Text size="sm">{alert.message}</Text>
                <Text size="xs" c="dimmed">{alert.about}</Text>
              </div>
            ))}
            {next && (
              <Text size="sm" fw={600}>
                These are the newest {MOST}; more is wrong: <Anchor component={Link} to="/activity/alerts?active=true" inherit>see all</Anchor>.
              </Text>
            )}
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

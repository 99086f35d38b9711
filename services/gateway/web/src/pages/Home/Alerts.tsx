import { Anchor, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { aboutOf, placeOf, titleOf } from "@/alerts";
import { api, must, type Schemas } from "@/api/client";
import { usePending } from "@/api/shared";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { State, Time } from "@/components/Values";

const MOST = 20;
const ALL = "/activity/alerts?active=true";

/** What wants a person now: signals that wait for an answer, and what is wrong. */
export function Alerts() {
  const query = useQuery({
    queryKey: ["alerts", "active"],
    queryFn: () => must(api.GET("/api/alerts", { params: { query: { active: true, limit: MOST } } })),
  });
  const { data: pending } = usePending();
  const waiting = pending?.items.length ?? 0;
  return (
    <Panel
      title="Alerts"
      tip="What wants you now: signals that wait for your answer, and what is wrong. An alert goes away by itself when its cause is gone."
      className="fills"
      actions={<Anchor component={Link} to={ALL} size="sm">All alerts</Anchor>}
    >
      {waiting > 0 && (
        <Group gap="sm" justify="space-between" wrap="nowrap" mb="sm">
          <Text size="sm" fw={600}>
            {waiting === 1 ? "1 signal waits" : `${waiting}${pending?.next_cursor ? "+" : ""} signals wait`} for your answer
          </Text>
          <Anchor component={Link} to="/activity/verdicts" size="sm" flex="none">Answer</Anchor>
        </Group>
      )}
      <Loaded query={query} height={120} empty={pending && waiting === 0 ? "All is well: nothing wants your attention." : "Nothing is wrong."}>
        {({ items, next_cursor: next }) => (
          <Stack gap="sm" className="scrolls alerts" tabIndex={0} role="group" aria-label="Active alerts">
            {items.map((alert) => <Alert key={alert.id} alert={alert} />)}
            {next && (
              <Text size="sm" fw={600}>
                These are the newest {MOST}; more is wrong: <Anchor component={Link} to={ALL} inherit>see all</Anchor>.
              </Text>
            )}
          </Stack>
        )}
      </Loaded>
    </Panel>
  );
}

function Alert({ alert }: { alert: Schemas["AlertView"] }) {
  const place = placeOf(alert);
  return (
    <div className="entry">
      <Group gap="sm" wrap="nowrap" justify="space-between" align="flex-start">
        <Group gap="sm">
          <State state={alert.severity} />
          <Text size="sm" fw={600}>{titleOf(alert.code)}</Text>
        </Group>
        <Text size="xs" c="dimmed" flex="none"><Time at={alert.at} show="dayTime" /></Text>
      </Group>
      <Text size="sm">{alert.message}</Text>
      <Group gap="sm" justify="space-between">
        <Text size="xs" c="dimmed">{aboutOf(alert.about)}</Text>
        {place && <Anchor component={Link} to={place.to} size="sm">{place.label}</Anchor>}
      </Group>
    </div>
  );
}

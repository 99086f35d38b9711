import { Button, Group, Select, Stack, Switch, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { Panel } from "@/components/Panel";
import { desktop, type Notices, notices, setDesktop, setNotices } from "@/prefs";

const LEVELS = [
  { value: "info", label: "Every alert" },
  { value: "warning", label: "Warnings and critical ones" },
  { value: "critical", label: "Critical ones only" },
  { value: "off", label: "None" },
];

/** Who is told of what, and where. */
export function AlertSettings() {
  const [level, setLevel] = useState<Notices>(notices);
  const [wanted, setWanted] = useState(desktop);
  const [refused, setRefused] = useState(false);
  const choose = (value: string | null) => {
    setNotices((value ?? "warning") as Notices);
    setLevel(notices());
  };
  const toggle = async (on: boolean) => {
    const granted = !on || (await Notification.requestPermission()) === "granted";
    setRefused(!granted);
    setDesktop(on && granted);
    setWanted(desktop());
  };
  return (
    <>
      <Panel title="In this browser" tip="These choices are kept in this browser only.">
        <Stack gap="md">
          <Select label="Alerts that show themselves on every page" w={320} maw="100%" data={LEVELS} value={level} onChange={choose} allowDeselect={false} />
          <Switch
            label="Let the browser show them while this page is in the background"
            checked={wanted}
            disabled={level === "off"}
            onChange={(event) => void toggle(event.currentTarget.checked)}
          />
          {refused && (
            <Text size="sm" className="down" role="alert">
              The browser does not allow it. Allow notifications for this address in its settings, then switch this on again.
            </Text>
          )}
        </Stack>
      </Panel>
      <Panel title="Everywhere else">
        <Stack gap="md">
          <Text size="sm">
            Every alert is kept under Activity, with what to do about it. Models warn before their budgets are used up; what they may cost is set with
            them.
          </Text>
          <Text size="sm">
            For messages to telephones and mail, the deployment on a server brings Alertmanager: its configuration names the receivers. Programs hear
            alerts on the event stream and on the subject sb.v1.alerts.
          </Text>
          <Group gap="sm">
            <Button size="xs" variant="default" component={Link} to="/activity/alerts">
              All alerts
            </Button>
            <Button size="xs" variant="default" component={Link} to="/ai-trading/costs">
              Budgets of models
            </Button>
          </Group>
        </Stack>
      </Panel>
    </>
  );
}

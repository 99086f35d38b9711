import { Badge, Button, Group, Text } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { useState } from "react";
import { nameOf, type Scope } from "@/api/killSwitch";
import { useAccounts, useBots, useKillSwitch, useMay } from "@/api/shared";
import { ReleaseDialog, StopDialog } from "@/components/KillSwitch";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { Time } from "@/components/Values";

/** What may not trade: everything, an account, a bot. */
export function KillSwitchPanel() {
  const query = useKillSwitch();
  const bots = useBots();
  const accounts = useAccounts();
  const mayStop = useMay("trader");
  const mayRelease = useMay("admin");
  const [stopping, setStopping] = useState<Scope | null>(null);
  const [releasing, setReleasing] = useState<Scope[] | null>(null);
  const row = (scope: Scope, stopped: boolean, note: string) => (
    <Stoppable key={nameOf(scope)} scope={scope} stopped={stopped} note={note} may={stopped ? mayRelease : mayStop} ask={() => (stopped ? setReleasing([scope]) : setStopping(scope))} />
  );
  return (
    <Panel title="Kill switch" tip="Stops new orders. Planned ones are denied, working entries cancelled; stops, exits and your own commands go on.">
      <Loaded query={query} height={280}>
        {(kill) => (
          <div>
            {row({ kind: "everything" }, kill.everything ?? false, "Every bot on every account.")}
            {bots.data?.items.map((bot) => row({ kind: "bots", id: bot.id }, kill.bots?.includes(bot.id) ?? false, bot.name))}
            {accounts.data?.items.map((account) => row({ kind: "accounts", id: account.id }, kill.accounts?.includes(account.id) ?? false, account.name))}
            {kill.at && (
              <Text size="sm" c="dimmed" mt="sm">
                Last changed by {kill.by}, <Time at={kill.at} />
                {kill.reason && `: “${kill.reason}”`}
              </Text>
            )}
          </div>
        )}
      </Loaded>
      <StopDialog scope={stopping} onClose={() => setStopping(null)} />
      <ReleaseDialog scopes={releasing} onClose={() => setReleasing(null)} />
    </Panel>
  );
}

function Stoppable({ scope, stopped, note, may, ask }: { scope: Scope; stopped: boolean; note: string; may: boolean; ask: () => void }) {
  const name = nameOf(scope);
  return (
    <div className="row" role="group" aria-label={name}>
      <div>
        <Group gap="sm">
          <Text fw={600} size="sm">{name.charAt(0).toUpperCase() + name.slice(1)}</Text>
          <Badge color={stopped ? "red" : "green"} variant={stopped ? "filled" : "light"}>
            {stopped ? "Stopped" : "Trades"}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">{note}</Text>
      </div>
      <Button
        size="xs"
        disabled={!may}
        variant={stopped || scope.kind !== "everything" ? "default" : "filled"}
        color={scope.kind === "everything" && !stopped ? "red.9" : undefined}
        leftSection={stopped ? undefined : <IconHandStop size={14} aria-hidden />}
        aria-label={`${stopped ? "Release" : "Stop"} ${name}`}
        onClick={ask}
      >
        {stopped ? "Release…" : "Stop…"}
      </Button>
    </div>
  );
}

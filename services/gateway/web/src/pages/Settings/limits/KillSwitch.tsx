import { Badge, Button, Group, Text, TextInput } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { useState } from "react";
import { change, nameOf, type Scope } from "@/api/killSwitch";
import { useAccounts, useBots, useKillSwitch, useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { Time } from "@/components/Values";

interface Asked {
  scope: Scope;
  stop: boolean;
}

const STOP = "STOP";

/** What may not trade: everything, an account, a bot. */
export function KillSwitchPanel() {
  const query = useKillSwitch();
  const bots = useBots();
  const accounts = useAccounts();
  const mayStop = useMay("trader");
  const mayRelease = useMay("admin");
  const [asked, setAsked] = useState<Asked | null>(null);
  const [reason, setReason] = useState("");
  const refresh = useRefresh();
  const act = async () => {
    if (!asked) return;
    await change([asked.scope], asked.stop, reason);
    told(asked.stop ? `Stopped: ${nameOf(asked.scope)}. Exits still work.` : `Released: ${nameOf(asked.scope)}.`);
    setReason("");
    await refresh("kill-switch");
  };
  const row = (scope: Scope, stopped: boolean, note: string) => (
    <Stoppable key={nameOf(scope)} scope={scope} stopped={stopped} note={note} may={stopped ? mayRelease : mayStop} ask={(stop) => setAsked({ scope, stop })} />
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
      <ConfirmDialog
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={asked ? `${asked.stop ? "Stop" : "Release"} ${nameOf(asked.scope)}?` : ""}
        confirm={asked?.stop ? "Stop" : "Release"}
        danger={asked?.stop}
        word={asked?.stop && asked.scope.kind === "everything" ? STOP : undefined}
        act={act}
      >
        {asked?.stop ? (
          <>
            No new order leaves. Planned orders are denied and working entries cancelled. Stops and exits still work, and so do your own commands.
            <TextInput label="Why (others will read it)" mt="md" maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          </>
        ) : (
          "It may open positions again from the next signal on. What was denied meanwhile stays denied."
        )}
      </ConfirmDialog>
    </Panel>
  );
}

function Stoppable({ scope, stopped, note, may, ask }: { scope: Scope; stopped: boolean; note: string; may: boolean; ask: (stop: boolean) => void }) {
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
        onClick={() => ask(!stopped)}
      >
        {stopped ? "Release…" : "Stop…"}
      </Button>
    </div>
  );
}

import { Alert, Button, Group, TextInput } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { useState } from "react";
import { api, must } from "@/api/client";
import { type KillSwitch, useKillSwitch, useMay, useRefresh } from "@/api/shared";
import { dayTime } from "@/format";
import { ConfirmDialog } from "./ConfirmDialog";

const isOn = (kill: KillSwitch): boolean => Boolean(kill.everything || kill.accounts?.length || kill.bots?.length);

function stopped(kill: KillSwitch): string {
  if (kill.everything) return "everything";
  const bots = (kill.bots ?? []).map((bot) => `bot ${bot}`);
  return [...bots, ...(kill.accounts ?? []).map((account) => `account ${account}`)].join(", ");
}

/** In the header: stops all trading after STOP was typed. */
export function KillSwitchButton() {
  const { data: kill } = useKillSwitch();
  const may = useMay("trader");
  const [opened, setOpened] = useState(false);
  const [reason, setReason] = useState("");
  const refresh = useRefresh();
  if (!may || !kill) return null;
  const stop = async () => {
    const body = { everything: true, accounts: kill.accounts ?? [], bots: kill.bots ?? [], reason };
    await must(api.PUT("/api/kill-switch", { body }));
    await refresh("kill-switch");
    setReason("");
  };
  return (
    <>
      <Button
        color="red.9"
        size="xs"
        leftSection={<IconHandStop size={16} aria-hidden />}
        onClick={() => setOpened(true)}
        disabled={kill.everything}
        aria-label="Kill switch"
        className="kill"
      >
        <span className="wide">Kill switch</span>
      </Button>
      <ConfirmDialog opened={opened} onClose={() => setOpened(false)} title="Stop all trading?" confirm="Stop everything" danger word="STOP" act={stop}>
        No new order leaves, for any bot. Planned orders are denied and working entries cancelled. Stops and exits still work, and
        so do your own commands.
        <TextInput label="Why (others will read it)" mt="md" maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      </ConfirmDialog>
    </>
  );
}

/** Under the header, for everybody, as long as anything is stopped. */
export function KillSwitchBanner() {
  const { data: kill } = useKillSwitch();
  const may = useMay("admin");
  const [opened, setOpened] = useState(false);
  const refresh = useRefresh();
  if (!kill || !isOn(kill)) return null;
  const release = async () => {
    await must(api.PUT("/api/kill-switch", { body: {} }));
    await refresh("kill-switch");
  };
  const said = [kill.by && `by ${kill.by}`, kill.at && `at ${dayTime(kill.at)}`, kill.reason && `“${kill.reason}”`];
  return (
    <Alert color="red" variant="filled" role="alert" radius={0} className="stopped" icon={<IconHandStop aria-hidden />}>
      <Group justify="space-between" gap="sm">
        <span>
          The kill switch stops {stopped(kill)}, set {said.filter(Boolean).join(", ") || "by somebody"}. Exits still work.
        </span>
        {may && (
          <Button size="xs" variant="white" color="red.9" onClick={() => setOpened(true)}>
            Release…
          </Button>
        )}
      </Group>
      <ConfirmDialog opened={opened} onClose={() => setOpened(false)} title="Release the kill switch?" confirm="Release" act={release}>
        Bots may open positions again from the next signal on. What was denied meanwhile stays denied.
      </ConfirmDialog>
    </Alert>
  );
}

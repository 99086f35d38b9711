import { Alert, Button, Group, TextInput } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { change, nameOf, type Scope, stoppedIn } from "@/api/killSwitch";
import { isUnread, type KillSwitch, useKillSwitch, useMay, useRefresh } from "@/api/shared";
import { dayTime } from "@/format";
import { ConfirmDialog } from "./ConfirmDialog";

const words = (scopes: readonly Scope[]): string => scopes.map(nameOf).join(", ");

/** In the header: stops all trading after STOP was typed. It is there also while nobody knows what is stopped. */
export function KillSwitchButton() {
  const { data: kill } = useKillSwitch();
  const may = useMay("trader");
  const [opened, setOpened] = useState(false);
  const [reason, setReason] = useState("");
  const refresh = useRefresh();
  if (!may) return null;
  const stop = async () => {
    await change([{ kind: "everything" }], true, reason);
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
        disabled={kill?.everything}
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

/** Under the header, for everybody, as long as anything is stopped or nobody knows. */
export function KillSwitchBanner() {
  const query = useKillSwitch();
  if (isUnread(query)) {
    return (
      <Stripe said="It is unknown whether trading is stopped: the kill switch could not be read. Everything can still be stopped.">
        <Button size="xs" variant="white" color="red.9" onClick={() => void query.refetch()} loading={query.isFetching}>
          Try again
        </Button>
      </Stripe>
    );
  }
  if (!query.data || stoppedIn(query.data).length === 0) return null;
  return <Stopped kill={query.data} />;
}

function Stripe({ said, children }: { said: string; children: ReactNode }) {
  return (
    <Alert color="red" variant="filled" role="alert" radius={0} className="stopped" icon={<IconHandStop aria-hidden />}>
      <Group justify="space-between" gap="sm">
        <span>{said}</span>
        {children}
      </Group>
    </Alert>
  );
}

function Stopped({ kill }: { kill: KillSwitch }) {
  const may = useMay("admin");
  const [asked, setAsked] = useState<Scope[] | null>(null); // as the dialog shows them: what is stopped meanwhile stays
  const refresh = useRefresh();
  const release = async () => {
    await change(asked ?? [], false);
    await refresh("kill-switch");
  };
  const how = [kill.by && `by ${kill.by}`, kill.at && `at ${dayTime(kill.at)}`, kill.reason && `“${kill.reason}”`];
  return (
    <Stripe said={`The kill switch stops ${words(stoppedIn(kill))}, set ${how.filter(Boolean).join(", ") || "by somebody"}. Exits still work.`}>
      {may && (
        <Button size="xs" variant="white" color="red.9" onClick={() => setAsked(stoppedIn(kill))}>
          Release…
        </Button>
      )}
      <ConfirmDialog opened={asked !== null} onClose={() => setAsked(null)} title="Release the kill switch?" confirm="Release" act={release}>
        This releases {words(asked ?? [])}. Bots may open positions again from the next signal on. What was denied meanwhile stays denied.
      </ConfirmDialog>
    </Stripe>
  );
}

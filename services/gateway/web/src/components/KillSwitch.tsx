import { Alert, Button, Group } from "@mantine/core";
import { IconHandStop } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { change, nameOf, type Scope, stoppedIn } from "@/api/killSwitch";
import { isUnread, type KillSwitch, useKillSwitch, useMay, useRefresh } from "@/api/shared";
import { dayTime } from "@/format";
import { ConfirmDialog } from "./ConfirmDialog";
import { told } from "./toasts";

const EVERYTHING: Scope = { kind: "everything" };
const words = (scopes: readonly Scope[]): string => scopes.map(nameOf).join(", ");

/** In the header: stops all trading after STOP was typed. It is there also while nobody knows what is stopped. */
export function KillSwitchButton() {
  const { data: kill } = useKillSwitch();
  const may = useMay("trader");
  const [opened, setOpened] = useState(false);
  if (!may) return null;
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
      <StopDialog scope={opened ? EVERYTHING : null} onClose={() => setOpened(false)} />
    </>
  );
}

/** Asks before something is stopped; `scope` null: closed. */
export function StopDialog({ scope, onClose }: { scope: Scope | null; onClose: () => void }) {
  const refresh = useRefresh();
  const name = scope ? nameOf(scope) : "";
  const stop = async (reason: string) => {
    if (!scope) return;
    await change([scope], true, reason);
    told(`Stopped: ${name}. Exits still work.`);
    await refresh("kill-switch");
  };
  return (
    <ConfirmDialog
      opened={scope !== null}
      onClose={onClose}
      title={`Stop ${name}?`}
      confirm={`Stop ${name}`}
      danger
      why
      word={scope?.kind === "everything" ? "STOP" : undefined}
      act={stop}
    >
      No new order leaves. Planned orders are denied and working entries cancelled. Stops and exits still work, and so do your own commands.
    </ConfirmDialog>
  );
}

/** Asks before those that it names are released, and no others; null: closed. */
export function ReleaseDialog({ scopes, onClose }: { scopes: readonly Scope[] | null; onClose: () => void }) {
  const refresh = useRefresh();
  const names = words(scopes ?? []);
  const release = async () => {
    await change(scopes ?? [], false);
    told(`Released: ${names}.`);
    await refresh("kill-switch");
  };
  return (
    <ConfirmDialog opened={scopes !== null} onClose={onClose} title="Release the kill switch?" confirm="Release" act={release}>
      This releases {names}. Positions may be opened again from the next signal on. What was denied meanwhile stays denied.
    </ConfirmDialog>
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
  const how = [kill.by && `by ${kill.by}`, kill.at && `at ${dayTime(kill.at)}`, kill.reason && `“${kill.reason}”`];
  return (
    <Stripe said={`The kill switch stops ${words(stoppedIn(kill))}, set ${how.filter(Boolean).join(", ") || "by somebody"}. Exits still work.`}>
      {may && (
        <Button size="xs" variant="white" color="red.9" onClick={() => setAsked(stoppedIn(kill))}>
          Release…
        </Button>
      )}
      <ReleaseDialog scopes={asked} onClose={() => setAsked(null)} />
    </Stripe>
  );
}

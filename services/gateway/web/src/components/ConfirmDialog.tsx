import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { useClosing } from "./FormDialog";
import { Problem } from "./Loaded";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen, in a sentence or two. */
  children: ReactNode;
  /** On the button: a verb. */
  confirm: string;
  danger?: boolean;
  /** A word to type first. */
  word?: string;
  /** Asks for a reason, too. */
  why?: boolean;
  /** It stays open until this is done, and says why when it fails. */
  act: (reason: string) => Promise<unknown>;
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog(props: Props) {
  const [busy, setBusy] = useState(false); // nothing closes it then: its outcome would be lost
  useClosing(() => (props.opened ? "not yet" : "freely"));
  return (
    <Modal
      opened={props.opened}
      onClose={() => busy || props.onClose()}
      title={props.title}
      closeButtonProps={{ "aria-label": "Close", disabled: busy }}
    >
      <Question {...props} busy={busy} setBusy={setBusy} />
    </Modal>
  );
}

function Question({ onClose, children, confirm, danger = false, word, why = false, act, busy, setBusy }: Props & { busy: boolean; setBusy: (busy: boolean) => void }) {
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const ready = !word || typed.trim() === word;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setError(null);
    try {
      await act(reason);
      onClose();
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="md">
        <Text component="div" size="sm">{children}</Text>
        {why && <TextInput label="Why (others will read it)" maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />}
        {word && (
          <TextInput
            label={`Type ${word} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        )}
        {error && <Problem error={error} what="That did not work" />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" color={danger ? "red.9" : undefined} disabled={!ready} loading={busy}>
            {confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

import { ActionIcon, Alert, Button, Code, CopyButton, Group, Modal, Stack, Switch, Text, TextInput, Title, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { useRefresh } from "@/api/shared";
import { Problem } from "@/components/Loaded";
import { Time } from "@/components/Values";
import emitter from "../../../../../../../docs/quantconnect/signalbox_emitter.py?raw";
import type { Config } from "../queries";

const DAY_S = 86_400;
const START = `from signalbox_emitter import SignalboxEmitter

# in initialize:
self._signalbox = SignalboxEmitter(self)
`;
const FILLS = `
# for signals from fills:
def on_order_event(self, order_event):
    self._signalbox.on_order_event(order_event)
`;

/** Makes the key by which algorithms push, and shows how: the key this once. */
export function PushDialog({ config, onClose }: { config: Config; onClose: () => void }) {
  const refresh = useRefresh();
  const [overlap, setOverlap] = useState(true);
  const make = useMutation({
    mutationFn: () =>
      must(
        api.POST("/api/quantconnect/config/{config_id}/webhook", {
          params: { path: { config_id: config.id } },
          body: { overlap_s: overlap ? DAY_S : 0 },
        }),
      ),
    onSuccess: () => refresh("quantconnect-config", "quantconnect-status"),
  });
  return (
    <Modal
      opened
      onClose={() => make.isPending || onClose()}
      size="lg"
      title={`Push to ${config.name}`}
      closeOnClickOutside={!make.data}
      closeOnEscape={!make.data}
    >
      {make.data ? (
        <Made made={make.data} fills={config.signals_from === "fills"} onClose={onClose} />
      ) : (
        <Stack gap="md">
          <Text size="sm">
            QuantConnect writes down what live algorithms say about every ten minutes. An algorithm that pushes is heard at once. Both
            together are best: the same word counts once.
          </Text>
          {config.webhook && (
            <>
              <Text size="sm">
                There is a key, made <Time at={config.webhook.made_at} />, ending in {config.webhook.secret_hint}. It cannot be shown
                again; a new one takes its place.
              </Text>
              <Switch
                label="The old key holds for one more day"
                description="Switch this off when the old one has leaked."
                checked={overlap}
                onChange={(event) => setOverlap(event.currentTarget.checked)}
              />
            </>
          )}
          {make.error && <Problem error={make.error} what="No key was made" />}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onClose} disabled={make.isPending}>
              Cancel
            </Button>
            <Button loading={make.isPending} onClick={() => make.mutate()}>
              {config.webhook ? "Make a new key" : "Make a key"}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

function Made({ made, fills, onClose }: { made: Schemas["WebhookMade"]; fills: boolean; onClose: () => void }) {
  return (
    <Stack gap="md">
      <Alert color="yellow" variant="light" title="The key is shown this once">
        <Text size="sm">Copy it now. Who has it can send signals that your bots act on.</Text>
      </Alert>
      <Title order={3}>1. Add two project parameters on quantconnect.com</Title>
      <Copied label="signalbox_url" value={made.url} />
      <Copied label="signalbox_key" value={made.token} />
      {!made.url.startsWith("https:") && (
        <Text size="sm" c="dimmed">
          QuantConnect reaches Signalbox by a public https address only: put yours in the place of {new URL(made.url).origin}.
        </Text>
      )}
      <Title order={3}>2. Save this file in the project as signalbox_emitter.py</Title>
      <Snippet label="signalbox_emitter.py" text={emitter} />
      <Title order={3}>3. Start it in your algorithm, and deploy</Title>
      <Snippet label="Lines for your algorithm" text={fills ? START + FILLS : START} />
      {made.must_sign && (
        <Text size="sm" c="dimmed">
          Posts to this account must be signed; the file does that, and the key itself never travels.
        </Text>
      )}
      {made.old_until && (
        <Text size="sm" c="dimmed">
          The old key holds until <Time at={made.old_until} />.
        </Text>
      )}
      <Group justify="flex-end">
        <Button onClick={onClose}>I have copied it</Button>
      </Group>
    </Stack>
  );
}

function Copy({ label, text }: { label: string; text: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : "Copy"}>
          <ActionIcon onClick={copy} aria-label={`Copy ${label}`}>
            {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

function Copied({ label, value }: { label: string; value: string }) {
  return (
    <TextInput
      label={label}
      value={value}
      readOnly
      className="mono"
      onFocus={(event) => event.currentTarget.select()}
      rightSection={<Copy label={label} text={value} />}
    />
  );
}

function Snippet({ label, text }: { label: string; text: string }) {
  return (
    <div className="copied">
      <Copy label={label} text={text} />
      <Code block tabIndex={0} aria-label={label} className="snippet">
        {text}
      </Code>
    </div>
  );
}

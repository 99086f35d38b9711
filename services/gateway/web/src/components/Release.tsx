import { Alert, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "./ConfirmDialog";
import { told } from "./toasts";

interface Props {
  signal: Schemas["SignalView"];
  bots: readonly string[]; // that wait for a person with it
}

/** Lets the bots act that wait for a person with a signal of QuantConnect. */
export function Release({ signal, bots }: Props) {
  const may = useMay("trader");
  const refresh = useRefresh();
  const [asking, setAsking] = useState(false);
  const who = bots.length === 1 ? `Bot ${bots[0]} waits` : `Bots ${bots.join(", ")} wait`;
  const process = async () => {
    const { rounds } = await once(`process ${signal.id}`, (key) =>
      must(
        api.POST("/api/quantconnect/signals/{signal_id}/process", {
          params: { path: { signal_id: signal.id }, header: { "idempotency-key": key } },
        }),
      ),
    );
    told(rounds.map(({ bot, problem, explanation, outcome }) => `${bot}: ${problem ?? (explanation || outcome)}`).join("; "), "Processed");
    await refresh("chain", "quantconnect-signals", "verdicts");
  };
  return (
    <Alert color="blue" variant="light" title={`${who} for your word`}>
      <Group justify="space-between" gap="sm">
        <Text size="sm" className="grows">
          Nothing is ordered until somebody releases it; then every check is made again at the prices of that moment.
        </Text>
        {may && (
          <Button size="xs" onClick={() => setAsking(true)}>
            Process
          </Button>
        )}
      </Group>
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title={`Act on ${signal.action} ${signal.symbol}?`} confirm="Process" act={process}>
        {bots.join(", ")} will judge this signal again and may send an order at once.
      </ConfirmDialog>
    </Alert>
  );
}

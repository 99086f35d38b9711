import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { api, must, newKey, type Schemas } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { ChainSteps } from "@/components/ChainDialog";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { FormDialog } from "@/components/FormDialog";
import { Loaded } from "@/components/Loaded";
import { told } from "@/components/toasts";
import { Action } from "@/components/Values";
import { useSignalDialog } from "./columns";

type Chain = Schemas["SignalChain"];

/** The bots that wait for a person with this signal. */
export const waitingBots = (verdicts: readonly Schemas["VerdictView"][]): string[] =>
  verdicts.filter((one) => one.current && one.outcome === "pending").map((one) => one.bot);

/** What became of each round, in words. */
export const roundsInWords = (rounds: readonly Schemas["Released"][]): string =>
  rounds.map(({ bot, problem, explanation, outcome }) => `${bot}: ${problem ?? (explanation || outcome)}`).join("; ");

/** One signal with all that followed, and its release: `?signal=ID`. */
export function SignalDialog() {
  const [params] = useSearchParams();
  const open = useSignalDialog();
  const id = params.get("signal");
  const query = useQuery({
    queryKey: ["chain", "signal", id],
    queryFn: () => must(api.GET("/api/signals/{signal_id}", { params: { path: { signal_id: id ?? "" } } })),
    enabled: id !== null,
  });
  const signal = query.data?.signal;
  return (
    <FormDialog
      closeOnClickOutside
      opened={id !== null}
      onClose={() => open(null)}
      size="lg"
      title={
        signal ? (
          <span>
            <Action action={signal.action} /> {signal.symbol}
          </span>
        ) : (
          "Signal"
        )
      }
    >
      {id !== null && (
        <Loaded query={query} height={320}>
          {(chain) => (
            <Stack gap="md">
              <Release chain={chain} />
              <ChainSteps chain={chain} />
            </Stack>
          )}
        </Loaded>
      )}
    </FormDialog>
  );
}

/** Lets the bots act that wait for a person. */
function Release({ chain }: { chain: Chain }) {
  const { signal, verdicts } = chain;
  const may = useMay("trader");
  const refresh = useRefresh();
  const [key, setKey] = useState<string | null>(null);
  const bots = waitingBots(verdicts);
  const who = bots.length === 1 ? `Bot ${bots[0]} waits` : `Bots ${bots.join(", ")} wait`;
  const process = async () => {
    const done = await must(
      api.POST("/api/quantconnect/signals/{signal_id}/process", {
        params: { path: { signal_id: signal.id }, header: { "idempotency-key": key } },
      }),
    );
    told(roundsInWords(done.rounds), "Processed");
    await refresh("chain", "quantconnect-signals", "verdicts");
  };
  if (bots.length === 0) return null;
  return (
    <Alert color="blue" variant="light" title={`${who} for your word`}>
      <Group justify="space-between" gap="sm">
        <Text size="sm" className="grows">
          Nothing is ordered until somebody releases it; then every check is made again at the prices of that moment.
        </Text>
        {may && (
          <Button size="xs" onClick={() => setKey(newKey())}>
            Process
          </Button>
        )}
      </Group>
      <ConfirmDialog
        opened={key !== null}
        onClose={() => setKey(null)}
        title={`Act on ${signal.action} ${signal.symbol}?`}
        confirm="Process"
        act={process}
      >
        {bots.join(", ")} will judge this signal again and may send an order at once.
      </ConfirmDialog>
    </Alert>
  );
}

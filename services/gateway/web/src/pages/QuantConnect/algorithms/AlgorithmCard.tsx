import { Button, Card, Group, Stack, Text } from "@mantine/core";
import { useAddress } from "@/address";
import { Facts } from "@/components/Facts";
import { State, Time } from "@/components/Values";
import { isLive } from "@/standing";
import type { Algorithm } from "../queries";
import { figures, keyOf, statusCode } from "../words";
import { Actions } from "./Actions";

/** One project: how it stands, and what can be done. */
export function AlgorithmCard({ algorithm, account }: { algorithm: Algorithm; account: string }) {
  const [, set] = useAddress("open");
  const shown = figures(algorithm.performance).slice(0, 4);
  return (
    <Card component="section" aria-label={algorithm.name}>
      <Stack gap="sm" h="100%">
        <div>
          <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
            <Text fw={600} className="unbroken">
              {algorithm.name}
            </Text>
            <State state={statusCode(algorithm.status)} />
          </Group>
          <Text size="xs" c="dimmed">
            {[`Project ${algorithm.id}`, algorithm.language === "Py" ? "Python" : algorithm.language].filter(Boolean).join(" · ")}
          </Text>
          <Text size="xs" c="dimmed" className="unbroken">
            {account}
          </Text>
        </div>
        {shown.length ? (
          <Facts items={shown} />
        ) : (
          <Text size="sm" c="dimmed">
            {isLive(algorithm) ? "QuantConnect has not told how it does yet." : "It does not run live, so there are no figures."}
          </Text>
        )}
        {algorithm.message && <Text size="sm">{algorithm.message}</Text>}
        <Group justify="space-between" mt="auto" gap="sm">
          <Text size="xs" c="dimmed">
            As of <Time at={algorithm.fetched_at} show="ago" />
          </Text>
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={() => set({ open: keyOf(algorithm) })} aria-label={`View ${algorithm.name}`}>
              View
            </Button>
            <Actions algorithm={algorithm} compact />
          </Group>
        </Group>
      </Stack>
    </Card>
  );
}

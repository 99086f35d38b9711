import { Stack, Text } from "@mantine/core";
import type { Schemas } from "@/api/client";
import { Facts } from "@/components/Facts";
import { State, Time } from "@/components/Values";
import * as f from "@/format";
import { Plain } from "./Plain";

type Attempt = Schemas["AttemptView"];

/** Every request to the provider for one decision, with its own money. */
export function Attempts({ calls, problem }: { calls: readonly Attempt[] | null; problem: string | null }) {
  if (calls === null) return <Text size="sm" c="dimmed">{problem ?? "The calls cannot be read now."}</Text>;
  if (calls.length === 0) return <Text size="sm" c="dimmed">The provider was not asked.</Text>;
  return (
    <Stack gap="lg">
      {calls.map((call) => (
        <div key={call.attempt_id}>
          <Facts
            items={[
              ["Attempt", `${call.number} at ${call.provider}, ${call.model}`],
              ["Money", <State key="s" state={call.state === "unknown" ? "unresolved" : (call.state ?? "")} />],
              ["Cost", f.cost(call.cost_usd)],
              ["Set aside before", f.cost(call.reserved_usd)],
              ["Begun", <Time key="t" at={call.at} />],
              ["Took", f.took(call.latency_ms)],
              ["Ended", f.words(call.outcome)],
              ["HTTP status", call.status],
              ["Provider's id", call.request_id],
            ]}
          />
          {call.error && <Text size="sm" className="plain" mt="sm">{call.error}</Text>}
          {call.raw_text && <div className="spaced"><Plain label="Its answer, as it came">{call.raw_text}</Plain></div>}
        </div>
      ))}
    </Stack>
  );
}

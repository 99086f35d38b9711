import { Badge, Button, Card, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useMarket, useMarketNow, useMay, usePending, useRefresh } from "@/api/shared";
import { useChain } from "@/components/ChainDialog";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { Action, Source } from "@/components/Values";
import { sentence, share } from "@/format";

type Verdict = Schemas["VerdictView"];
type Verb = "approve" | "decline";

const MOST = 50; // shown at once
const HURRY_S = 30;

/** 1:05, how long a person has; market time runs faster in a replay. */
export function timeLeft(until: string, now: Date, speed: number): number {
  return Math.max(0, Math.floor((Date.parse(until) - now.getTime()) / 1000 / (speed > 0 ? speed : 1)));
}

export function clock(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** 3 wait; The 50 most urgent of 120 */
export function howMany({ items, next_cursor: next }: { items: readonly unknown[]; next_cursor?: string | null }): string {
  if (items.length === 0) return "";
  if (items.length > MOST) return `The ${MOST} most urgent of ${items.length}${next ? " and more" : ""}`;
  return items.length === 1 ? "1 waits" : `${items.length} wait`;
}

/** Signals that wait for a person, the most urgent first. */
export function Pending() {
  const query = usePending();
  const [asked, setAsked] = useState<{ verdict: Verdict; verb: Verb } | null>(null);
  const refresh = useRefresh();
  const ask = (verdict: Verdict, verb: Verb) => setAsked({ verdict, verb });
  const answer = async () => {
    if (!asked) return;
    const { verdict, verb } = asked;
    const said = await once(`${verb} ${verdict.id}`, (key) => {
      const params = { path: { verdict_id: verdict.id }, header: { "idempotency-key": key } };
      return must(
        verb === "approve" ? api.POST("/api/verdicts/{verdict_id}/approve", { params }) : api.POST("/api/verdicts/{verdict_id}/decline", { params }),
      );
    });
    told(said.explanation ?? "", `${verdict.symbol}: ${sentence(said.outcome)}`);
    await refresh("verdicts");
  };
  return (
    <Panel
      title="Waiting for you"
      tip="Bots with manual approval ask before they trade. Nobody answering in time means no."
      actions={query.data && <Text size="sm" c="dimmed" component="span">{howMany(query.data)}</Text>}
    >
      <Loaded query={query} height={90}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>Nothing waits for approval. A bot asks when its approval is manual (Settings, Bots).</Empty>
          ) : (
            <div className="waiting" role="group" tabIndex={0} aria-label="Signals that wait">
              {items.slice(0, MOST).map((verdict) => (
                <Waiting key={verdict.id} verdict={verdict} ask={ask} />
              ))}
            </div>
          )
        }
      </Loaded>
      <ConfirmDialog
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={asked?.verb === "approve" ? "Approve this signal?" : "Decline this signal?"}
        confirm={asked?.verb === "approve" ? "Approve" : "Decline"}
        danger={asked?.verb === "decline"}
        act={answer}
      >
        {asked && <Consequence verdict={asked.verdict} verb={asked.verb} />}
      </ConfirmDialog>
    </Panel>
  );
}

function Consequence({ verdict, verb }: { verdict: Verdict; verb: Verb }) {
  const what = (
    <>
      <Action action={verdict.action} /> {verdict.symbol} for bot <strong>{verdict.bot}</strong>
    </>
  );
  return verb === "approve" ? (
    <>
      {what}: the bot judges it again and, if nothing has changed, orders at the market price now.
    </>
  ) : (
    <>{what}: it is not traded. The source may speak again.</>
  );
}

function Waiting({ verdict, ask }: { verdict: Verdict; ask: (verdict: Verdict, verb: Verb) => void }) {
  const may = useMay("trader");
  const { open } = useChain();
  return (
    <Card padding="sm" aria-label={`${verdict.action} ${verdict.symbol} for ${verdict.bot}`} component="article">
      <Stack gap="sm">
        <Group justify="space-between" gap="sm" wrap="nowrap">
          <Text fw={600} size="sm" component="span">
            <Action action={verdict.action} /> {verdict.symbol}
          </Text>
          <Left until={verdict.valid_until} />
        </Group>
        <Text size="sm" component="div">
          <Source type={verdict.source_type} id={verdict.source_id} />, {share(verdict.confidence)} sure, for bot {verdict.bot}
        </Text>
        <Group gap="sm">
          <Button size="xs" onClick={() => ask(verdict, "approve")} disabled={!may}>
            Approve
          </Button>
          <Button size="xs" variant="default" onClick={() => ask(verdict, "decline")} disabled={!may}>
            Decline
          </Button>
          <Button size="xs" variant="subtle" onClick={() => open(verdict.id)}>
            Details
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

function Left({ until }: { until: string }) {
  const now = useMarketNow();
  const { data: market } = useMarket();
  if (!now || !market) return null;
  const left = timeLeft(until, now, market.replay ? market.speed : 1);
  return (
    <Badge color={left < HURRY_S ? "red" : "blue"} className="number" flex="none">
      {left > 0 ? `${clock(left)} left` : "Time is up"}
    </Badge>
  );
}

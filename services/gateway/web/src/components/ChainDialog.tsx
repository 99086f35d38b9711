// Signal, verdicts, orders, fills and lots in one dialog, found by the id of any of them: `?chain=ID`.

import { Group, List, Stack, Text, Timeline } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useAddress } from "@/address";
import { api, must, type Schemas } from "@/api/client";
import { advice, adviceOn } from "@/advice";
import * as f from "@/format";
import { Facts } from "./Facts";
import { FormDialog } from "./FormDialog";
import { Loaded } from "./Loaded";
import { Release } from "./Release";
import { Action, Change, Source, State, Time } from "./Values";

type Chain = Schemas["ChainView"];

/** Opens the whole chain of a signal, verdict, order, fill or lot; the address then names it. */
export function useChain() {
  const [{ chain = null }, set] = useAddress("chain");
  return { id: chain, open: (next: string | null) => set({ chain: next }) };
}

/** Stands once in the shell. */
export function ChainDialog() {
  const { id, open } = useChain();
  const query = useQuery({
    queryKey: ["chain", id],
    queryFn: () => must(api.GET("/api/chains/{part_id}", { params: { path: { part_id: id ?? "" } } })),
    enabled: id !== null,
  });
  const signal = query.data?.signal;
  const title = signal ? (
    <span>
      <Action action={signal.action} /> {signal.symbol}
    </span>
  ) : (
    titleOf(query.data)
  );
  return (
    <FormDialog closeOnClickOutside opened={id !== null} onClose={() => open(null)} title={title} size="lg">
      {id !== null && (
        <Loaded query={query} height={320}>
          {(chain) => <ChainSteps chain={chain} />}
        </Loaded>
      )}
    </FormDialog>
  );
}

/** Of what no signal is there of: it never had one, or that is not stored yet. */
function titleOf(chain: Chain | undefined): string {
  const [order] = chain?.orders ?? [];
  if (!order || isEarly(chain)) return "Chain";
  if (order.purpose === "protective") return "Protective exit";
  return order.source_type === "manual" ? "A person's own order" : "Order without a signal";
}

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/;
const factsOf = (values: Record<string, string> | undefined): [string, ReactNode][] =>
  Object.entries(values ?? {}).map(([name, value]) => [f.sentence(name), INSTANT.test(value) ? <Time key={name} at={value} /> : value]);

const isEarly = (chain: Chain | undefined): boolean =>
  chain !== undefined && !chain.signal && (chain.verdicts.length > 0 || chain.orders.some((order) => order.signal_id));

/** All that belongs together, from the signal on. */
function ChainSteps({ chain }: { chain: Chain }) {
  const { signal, verdicts, orders, lots, outcomes } = chain;
  const waiting = verdicts?.filter((one) => one.current && one.outcome === "pending").map((one) => one.bot) ?? [];
  return (
    <Stack gap="md">
      {isEarly(chain) && <Text c="dimmed" size="sm">The signal itself is not stored here yet; it shows as soon as it is.</Text>}
      {signal?.source_type === "quantconnect" && waiting.length > 0 && <Release signal={signal} bots={waiting} />}
      <Timeline bulletSize={14} lineWidth={2} active={99}>
        {signal && <Timeline.Item title="Signal">{<SignalStep signal={signal} outcomes={outcomes ?? []} />}</Timeline.Item>}
        {verdicts?.map((verdict) => (
          <Timeline.Item key={verdict.id} title={<Titled text={`Verdict for ${verdict.bot}`} state={verdict.outcome} />}>
            <VerdictStep verdict={verdict} />
          </Timeline.Item>
        ))}
        {orders?.map((order) => (
          <Timeline.Item key={order.id} title={<Titled text={`Order of ${order.bot}`} state={order.state} />}>
            <OrderStep order={order} />
          </Timeline.Item>
        ))}
        {lots?.map((lot) => (
          <Timeline.Item key={lot.id} title={<Titled text="Lot" state={lot.open ? "open" : "closed"} />}>
            <LotStep lot={lot} />
          </Timeline.Item>
        ))}
      </Timeline>
      {signal && !verdicts?.length && <Text c="dimmed" size="sm">No bot listens to this source, or none has judged it yet.</Text>}
    </Stack>
  );
}

function Titled({ text, state }: { text: string; state: string }): ReactNode {
  return (
    <Group gap="sm" component="span">
      {text} <State state={state} />
    </Group>
  );
}

function Next({ text }: { text: string }) {
  return text ? <Text size="sm" c="dimmed">{`What to do: ${text}`}</Text> : null;
}

function SignalStep({ signal, outcomes }: { signal: Schemas["SignalView"]; outcomes: readonly Schemas["OutcomeView"][] }) {
  const details = factsOf(signal.details);
  return (
    <Stack gap="sm">
      <Facts
        items={[
          ["Source", <Source key="s" type={signal.source_type} id={signal.source_id} />],
          ["Confidence", f.share(signal.confidence)],
          ["Said at", <Time key="t" at={signal.raised_at} />],
          [signal.withdrawn ? "Taken back from" : "Good until", <Time key="u" at={signal.valid_until} />],
          ["Price it saw", signal.price && f.price(signal.price)],
          ["Its own id", signal.own_id],
          ["Target", signal.target],
        ]}
      />
      {signal.reasoning && <Text size="sm" className="reasoning">{signal.reasoning}</Text>}
      {details.length > 0 && (
        <details>
          <summary>What else it said</summary>
          <Facts items={details} />
        </details>
      )}
      {outcomes.map((one) => (
        <Text key={one.at} size="sm" c="dimmed">
          After {f.span(one.horizon_s)} it would have earned <Change value={one.forward_return} percent />
        </Text>
      ))}
    </Stack>
  );
}

function VerdictStep({ verdict }: { verdict: Schemas["VerdictView"] }) {
  return (
    <Stack gap="sm">
      <Text size="sm">{verdict.explanation}</Text>
      <Next text={adviceOn(verdict)} />
      <Facts
        items={[
          ["Rule", verdict.rule],
          ["Reached at", <Time key="t" at={verdict.evaluated_at} />],
          ["Decided by", verdict.decided_by],
          ["Round", verdict.round > 0 ? String(verdict.round) : null],
          ...factsOf(verdict.numbers),
        ]}
      />
      {(verdict.inputs?.length ?? 0) > 1 && <Text size="sm" c="dimmed">Signals that stood then:</Text>}
      {(verdict.inputs?.length ?? 0) > 1 && (
        <List size="sm" c="dimmed">
          {verdict.inputs?.map((one) => (
            <List.Item key={one.signal_id}>
              <Action action={one.action} /> {f.source(one.source_type, one.source_id)}, {f.share(one.confidence)} sure
            </List.Item>
          ))}
        </List>
      )}
    </Stack>
  );
}

/** At the market; limit 101.25 or better; stop 95.00, resting at the broker */
function typeOf(order: Schemas["OrderDetail"]): string {
  const terms = f.sentence(f.terms(order));
  if (order.kind === "limit") return `${terms} or better`;
  return order.kind === "stop" ? `${terms}, ${order.state === "accepted" ? "resting " : ""}at the broker` : "At the market price";
}

function OrderStep({ order }: { order: Schemas["OrderDetail"] }) {
  return (
    <Stack gap="sm">
      {order.message && <Text size="sm">{order.message}</Text>}
      <Next text={advice(order.reason)} />
      <Facts
        items={[
          ["Wants", order.side && `${order.side} ${f.quantity(order.quantity)} ${order.symbol}`],
          ["Order", order.side && typeOf(order)],
          ["Account", `${order.account} (${order.mode})`],
          ["Filled", f.quantity(order.filled)],
          ["Average price", order.average_price && f.price(order.average_price)],
          ["Purpose", f.sentence(order.purpose)],
          ...factsOf(order.numbers),
        ]}
      />
      <Text size="sm" c="dimmed">
        {order.steps.map((step, index) => (
          <span key={`${step.state}${index}`}>
            {index > 0 && " → "}
            {f.words(step.state)} <Time at={step.at} show="time" />
          </span>
        ))}
      </Text>
      {order.trades.map((fill) => (
        <Text size="sm" key={fill.id}>
          Filled: {fill.side} {f.quantity(fill.quantity)} at {f.price(fill.price)}, fee {f.cost(fill.fee)}, <Time at={fill.at} />
        </Text>
      ))}
    </Stack>
  );
}

function LotStep({ lot }: { lot: Schemas["LotHistory"] }) {
  return (
    <Facts
      items={[
        ["Of", <Source key="s" type={lot.source_type} id={lot.source_id} />],
        ["Opened", `${f.quantity(lot.opened)} at ${f.price(lot.entry_price)}`],
        ["Closed", f.quantity(lot.closed)],
        ["Realised", <Change key="r" value={lot.realised_pnl} />],
      ]}
    />
  );
}

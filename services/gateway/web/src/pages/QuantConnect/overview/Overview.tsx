import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, must } from "@/api/client";
import { useComparison, useConnections } from "@/api/shared";
import { useChain } from "@/components/ChainDialog";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { StatCard } from "@/components/StatCard";
import { Change, State, Time } from "@/components/Values";
import * as f from "@/format";
import { isLive, standing } from "@/standing";
import { TERM } from "@/terms";
import { Actions } from "../algorithms/Actions";
import { JobProgress } from "../algorithms/JobProgress";
import { type Algorithm, type Status, useAlgorithms } from "../queries";
import { rowLabel, SIGNAL_COLUMNS } from "../signals/columns";
import { byState, inWords, keyOf, statusCode, upToDate } from "../words";
import { Performance } from "./Performance";

const RECENT = 8;

/** How the accounts stand, what runs, what was said last, and what it has earned. */
export function Overview() {
  return (
    <>
      <JobProgress />
      <Cards />
      <Panel title="Accounts" tip="Each QuantConnect account that Signalbox reads, and whether that works." actions={<To tab="configuration">Configure</To>}>
        <Accounts />
      </Panel>
      <Panel title="Algorithms" tip="Your projects at QuantConnect. Those that run live are on top." actions={<To tab="algorithms">All algorithms</To>}>
        <Running />
      </Panel>
      <Panel title="Recent signals" tip="What algorithms said last. Open one to see what became of it." actions={<To tab="signals">All signals</To>}>
        <Recent />
      </Panel>
      <Panel title="Performance by algorithm" tip="What your bots have earned with each algorithm's signals, after fees.">
        <Performance />
      </Panel>
    </>
  );
}

function To({ tab, children }: { tab: string; children: string }) {
  return (
    <Anchor component={Link} to={`/quantconnect/${tab}`} size="sm">
      {children}
    </Anchor>
  );
}

function Cards() {
  const { data: statuses } = useConnections();
  const own = useComparison().data?.items.find((one) => one.source_type === "quantconnect");
  const waiting = useQuery({
    queryKey: ["quantconnect-signals", "waiting"],
    queryFn: () => must(api.GET("/api/quantconnect/signals", { params: { query: { processed: false, limit: 100 } } })),
  });
  const active = statuses?.items.filter((one) => one.is_active) ?? [];
  const connected = active.filter((one) => one.connected).length;
  const live = active.flatMap((one) => one.algorithms ?? []).filter(isLive).length;
  const waits = waiting.data;
  return (
    <div className="cards">
      <StatCard
        label="Accounts connected"
        tip="Accounts that are switched on and that QuantConnect answers."
        value={statuses ? `${connected} of ${active.length}` : f.NONE}
        tone={statuses && connected < active.length ? "warn" : ""}
      />
      <StatCard label="Active algorithms" tip="Algorithms that run live and are followed." value={statuses ? f.count(live) : f.NONE} />
      <StatCard
        label="Not processed"
        tip="Signals that no bot has judged yet, or that wait for a person's word."
        value={waits ? `${f.count(waits.items.length)}${waits.next_cursor ? "+" : ""}` : f.NONE}
        note={
          waits?.items.length ? (
            <Anchor component={Link} to="/quantconnect/signals?processed=no" size="sm">
              Look
            </Anchor>
          ) : undefined
        }
      />
      <StatCard
        label="Realised profit"
        tip="Of everything that was bought on a QuantConnect signal and sold again, after fees."
        value={own ? <Change value={own.realised_pnl} /> : f.NONE}
        note={own ? `${f.count(own.trades)} closed` : undefined}
      />
    </div>
  );
}

function Accounts() {
  const query = useConnections();
  return (
    <Loaded
      query={query}
      height={72}
      empty={<NoAccount />}
    >
      {({ items }) => (
        <Stack gap="md">
          {items.map((one) => (
            <Account key={one.config_id} status={one} />
          ))}
        </Stack>
      )}
    </Loaded>
  );
}

function NoAccount() {
  return (
    <Stack align="center" gap="sm" component="span">
      No QuantConnect account is followed yet. Add one with its user id and API token.
      <Button component={Link} to="/quantconnect/configuration?edit=new" size="xs" variant="light">
        Add an account
      </Button>
    </Stack>
  );
}

function Account({ status }: { status: Status }) {
  const push = status.webhook;
  return (
    <div>
      <Group gap="sm">
        <Text fw={600}>{status.name}</Text>
        <State state={standing(status)} />
        <State state={status.target} title={status.target === "sandbox" ? "A stand-in that runs here: nothing there is real." : undefined} />
      </Group>
      <Text size="sm">{inWords(status)}</Text>
      <Text size="xs" c="dimmed">
        Read last: <Time at={status.last_ok_at} show="ago" />
        {push && (
          <>
            {" · "}Pushed last: <Time at={push.last_push_at} show="ago" />
            {push.refused_why && ` · A push was refused: ${push.refused_why}`}
          </>
        )}
      </Text>
    </div>
  );
}

const COLUMNS: readonly Column<Algorithm>[] = [
  { id: "name", header: "Algorithm", tip: TERM.algorithm, width: "minmax(170px, 2fr)", cell: (one) => <Name algorithm={one} />, sort: (one) => one.name },
  { id: "status", header: "Status", tip: "As QuantConnect says.", width: "130px", cell: (one) => <State state={statusCode(one.status)} title={one.message} />, sort: (one) => one.status },
  { id: "equity", header: "Equity", tip: "What it is worth at QuantConnect.", width: "120px", right: true, cell: (one) => f.money(one.performance?.equity), sort: (one) => Number(one.performance?.equity ?? 0) },
  { id: "return", header: "Return", tip: "Since it was launched, at QuantConnect.", width: "100px", right: true, cell: (one) => <Change value={one.performance?.return} percent />, sort: (one) => Number(one.performance?.return ?? 0) },
  { id: "actions", header: "", width: "150px", right: true, cell: (one) => <Actions algorithm={one} compact /> },
];

function Name({ algorithm }: { algorithm: Algorithm }) {
  return (
    <Anchor component={Link} to={`/quantconnect/algorithms?open=${keyOf(algorithm)}`} size="sm" title="View">
      {algorithm.name}
    </Anchor>
  );
}

function Running() {
  const query = useAlgorithms();
  const { data: statuses } = useConnections();
  return (
    <Loaded query={query} height={120} empty="No project can be read yet. Add an account, or create a project on quantconnect.com.">
      {({ items }) => (
        <SimpleTable
          label="Algorithms"
          rows={upToDate(items, statuses?.items ?? []).sort(byState)}
          columns={COLUMNS}
          idOf={keyOf}
          height={320}
        />
      )}
    </Loaded>
  );
}

function Recent() {
  const { open } = useChain();
  const query = useQuery({
    queryKey: ["quantconnect-signals", "recent"],
    queryFn: () => must(api.GET("/api/quantconnect/signals", { params: { query: { limit: RECENT } } })),
  });
  return (
    <Loaded query={query} height={330}>
      {({ items }) =>
        items.length ? (
          <SimpleTable label="Recent signals" rows={items} columns={SIGNAL_COLUMNS} onOpen={(row) => open(row.id)} rowLabel={rowLabel} height={340} />
        ) : (
          <Empty height={120}>Nothing was said yet. Signals come within seconds from the sandbox, within ten minutes from QuantConnect.</Empty>
        )
      }
    </Loaded>
  );
}

import { Alert, Anchor, Button, Code, Group, Progress, Stack, Text } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { api, must } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { State, Time } from "@/components/Values";
import * as f from "@/format";
import { type BacktestDetail, useBacktest } from "../queries";
import { Curves } from "./Curves";
import { Rows } from "./Rows";
import { Statistics } from "./Statistics";

const OVER = ["completed", "failed", "canceled"];

/** Back to the list. */
export function Back() {
  return (
    <Anchor component={Link} to="/quantconnect/backtests" size="sm">
      <Group gap={4} component="span">
        <IconArrowLeft size={14} aria-hidden /> All backtests
      </Group>
    </Anchor>
  );
}

/** One backtest: how far it is, then what came out. */
export function Result({ id }: { id: string }) {
  const query = useBacktest(id);
  return (
    <>
      <Back />
      <Loaded query={query} height={420}>
        {(one) => (
          <>
            <Head one={one} />
            {one.status === "completed" && (
              <>
                <Curves id={id} />
                <Panel title="Statistics" tip="As QuantConnect computes them.">
                  <Statistics one={one} />
                </Panel>
                <Panel title="What it did" tip="History: none of these orders was ever sent, none of these insights became a signal.">
                  <Rows id={id} />
                </Panel>
              </>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Head({ one }: { one: BacktestDetail }) {
  const parameters = Object.entries(one.parameters ?? {});
  return (
    <Panel title={one.name || "Backtest"} actions={<Tools one={one} />}>
      <Stack gap="md">
        {!OVER.includes(one.status) && (
          <div role="status">
            <Group gap="sm" wrap="nowrap">
              <State state={one.status} />
              <Progress value={100 * (one.progress ?? 0)} className="grows" aria-label="How far it is" />
              <Text size="sm" className="number">{f.share(one.progress)}</Text>
            </Group>
            <Text size="sm" mt="xs">{one.message}</Text>
          </div>
        )}
        {one.status === "failed" && (
          <Alert color="red" variant="light" title="It failed" role="alert">
            <Text size="sm">{one.error || one.message}</Text>
            {one.stacktrace && (
              <Code block tabIndex={0} aria-label="Stack trace" className="snippet" mt="sm">{one.stacktrace}</Code>
            )}
          </Alert>
        )}
        {one.status === "canceled" && <Text size="sm">It was cancelled. {one.message}</Text>}
        {one.missing && <Alert color="yellow" variant="light" title="The result cannot be shown now">{one.missing}</Alert>}
        {[...new Set([...(one.ignores_dates ? [one.message ?? ""] : []), ...(one.notes ?? [])])].filter(Boolean).map((note) => (
          <Alert key={note} color="yellow" variant="light">{note}</Alert>
        ))}
        <Facts
          items={[
            ["Algorithm", one.algorithm_name || `Project ${one.algorithm_id}`],
            ["From", one.backtest_start ?? one.start ?? "Its own beginning"],
            ["To", one.backtest_end ?? one.end ?? "Its own end"],
            ["Asked for", <Time key="a" at={one.created_at} />],
            ["By", one.requested_by],
            ["Took", one.finished_at && f.span((Date.parse(one.finished_at) - Date.parse(one.created_at)) / 1000)],
            ...parameters,
          ]}
        />
      </Stack>
    </Panel>
  );
}

function Tools({ one }: { one: BacktestDetail }) {
  const may = useMay("trader");
  const refresh = useRefresh();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [deletes, setDeletes] = useState(false); // what the dialog asked when it opened
  if (!may) return null;
  const over = OVER.includes(one.status);
  const ask = () => {
    setDeletes(over);
    setAsking(true);
  };
  const end = async () => {
    if (over && !deletes) throw new Error("It has ended by itself meanwhile, and its result is kept. Close this to see it.");
    const ended = await once(`${over ? "delete" : "cancel"} backtest ${one.id}`, (key) =>
      must(
        api.DELETE("/api/quantconnect/backtest/{backtest_id}", {
          params: { path: { backtest_id: one.id }, header: { "idempotency-key": key } },
        }),
      ),
    );
    told(ended.message || (ended.status === "deleted" ? `${one.name} is deleted.` : "It is being cancelled."));
    if (ended.status === "deleted") await navigate("/quantconnect/backtests", { replace: true });
    await refresh("backtests");
  };
  return (
    <>
      <Button size="xs" variant="default" onClick={() => void navigate("/quantconnect/backtests", { state: { again: one } })}>
        Run again…
      </Button>
      <Button size="xs" variant="light" color="red" onClick={ask}>
        {over ? "Delete" : "Cancel it"}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={deletes ? `Delete ${one.name}?` : `Cancel ${one.name}?`}
        confirm={deletes ? "Delete" : "End it"}
        danger
        act={end}
      >
        {deletes ? "It is deleted here and at QuantConnect, and cannot be brought back." : "QuantConnect ends the run; what it has computed so far is lost."}
      </ConfirmDialog>
    </>
  );
}

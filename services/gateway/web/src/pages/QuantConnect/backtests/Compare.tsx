import { Anchor, Group, Table, Text } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "react-router";
import { Chart } from "@/components/Chart";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { NONE, ratio } from "@/format";
import { type BacktestDetail, useBacktest, useSeries } from "../queries";
import { curve, period, rebased } from "../words";
import { inPercent } from "./Curves";
import { Back } from "./Result";
import { better, ordered } from "./statistics";
import { Term } from "./Statistics";

/** Two runs side by side. */
export function Compare({ first, second }: { first: string; second: string }) {
  const [one, other] = [useBacktest(first), useBacktest(second)];
  const names = [one.data?.name || "First", other.data?.name || "Second"];
  return (
    <>
      <Back />
      <Curves ids={[first, second]} names={names[0] === names[1] ? names.map((name, at) => `${name} (${at + 1})`) : names} />
      <Panel title="Side by side" tip="The better of two is in bold, where one is better.">
        <Loaded query={one} height={420}>
          {(left) => (
            <Loaded query={other} height={420}>
              {(right) => <Figures left={left} right={right} />}
            </Loaded>
          )}
        </Loaded>
      </Panel>
    </>
  );
}

function Curves({ ids, names }: { ids: [string, string]; names: string[] }) {
  const [one, other] = [useSeries(ids[0]), useSeries(ids[1])];
  const late = one.data ? other : one;
  const [left, right] = names;
  const equity = useMemo(
    () => [
      { name: left ?? "", points: rebased(one.data?.equity) },
      { name: right ?? "", points: rebased(other.data?.equity) },
    ],
    [left, right, one.data, other.data],
  );
  const drawdown = useMemo(
    () => [
      { name: left ?? "", points: curve(one.data?.drawdown) },
      { name: right ?? "", points: curve(other.data?.drawdown) },
    ],
    [left, right, one.data, other.data],
  );
  return (
    <div className="grid">
      <Panel title="Equity" tip="Both begin at 100." className="two-thirds">
        <Loaded query={late} height={280}>
          {() => <Chart label="Equity of both, from 100" series={equity} height={280} format={ratio} />}
        </Loaded>
      </Panel>
      <Panel title="Drawdown" tip="How far each stood below its highest value so far." className="third">
        <Loaded query={late} height={280}>
          {() => <Chart label="Drawdown of both" series={drawdown} height={280} format={inPercent} />}
        </Loaded>
      </Panel>
    </div>
  );
}

const parameters = (one: BacktestDetail): string =>
  Object.entries(one.parameters ?? {})
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ") || NONE;

function Figures({ left, right }: { left: BacktestDetail; right: BacktestDetail }) {
  const both = [left, right];
  const facts: [string, (one: BacktestDetail) => string][] = [
    ["Algorithm", (one) => one.algorithm_name || `Project ${one.algorithm_id}`],
    ["Period", (one) => period(one.backtest_start ?? one.start, one.backtest_end ?? one.end)],
    ["Parameters", parameters],
  ];
  return (
    <Table.ScrollContainer minWidth={460} scrollAreaProps={{ viewportProps: { tabIndex: 0, "aria-label": "Statistics of both" } }}>
      <Table className="compared" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <Text size="xs" c="dimmed" fw={600}>Statistic</Text>
            </Table.Th>
            {both.map((one, at) => (
              <Table.Th key={at} ta="right">
                <Anchor component={Link} to={`/quantconnect/backtests?backtest=${one.id}`} size="sm">
                  {one.name || `Backtest ${at + 1}`}
                </Anchor>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {facts.map(([name, of]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{name}</Table.Th>
              {both.map((one, at) => (
                <Table.Td key={at} ta="right">{of(one)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
          {ordered(left.statistics, right.statistics).map((name) => {
            const values = both.map((one) => one.statistics?.[name]);
            const best = better(name, values[0], values[1]);
            return (
              <Table.Tr key={name}>
                <Table.Th scope="row">
                  <Group component="span" gap={2}><Term name={name} /></Group>
                </Table.Th>
                {values.map((value, at) => (
                  <Table.Td key={at} ta="right" fw={best === at ? 700 : undefined}>{value ?? NONE}</Table.Td>
                ))}
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

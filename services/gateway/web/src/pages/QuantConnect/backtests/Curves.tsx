import { Text } from "@mantine/core";
import { useMemo } from "react";
import { Chart } from "@/components/Chart";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { compact } from "@/format";
import { useSeries } from "../queries";
import { atSizeOf, curve } from "../words";

const inDollars = (value: number): string => `$${compact(value)}`;
export const inPercent = (value: number): string => `${value.toFixed(1)}%`;

/** Equity against the benchmark, and the falls on the way. */
export function Curves({ id }: { id: string }) {
  const query = useSeries(id);
  const equity = useMemo(
    () => [
      { name: "Equity", points: curve(query.data?.equity), kind: "area" as const },
      { name: "Benchmark, from the same start", points: atSizeOf(query.data?.benchmark, query.data?.equity) },
    ],
    [query.data],
  );
  const drawdown = useMemo(
    () => [{ name: "Drawdown", points: curve(query.data?.drawdown), kind: "area" as const, color: "--down" }],
    [query.data],
  );
  return (
    <div className="grid">
      <Panel title="Equity against benchmark" tip="What the run was worth, and what the same money in its benchmark would have been." className="two-thirds">
        <Loaded query={query} height={280}>
          {(series) => (series.equity?.length ? <Chart label="Equity against benchmark" series={equity} height={280} format={inDollars} /> : <None />)}
        </Loaded>
      </Panel>
      <Panel title="Drawdown" tip="How far the run stood below its highest value so far." className="third">
        <Loaded query={query} height={280}>
          {(series) => (series.drawdown?.length ? <Chart label="Drawdown" series={drawdown} height={300} format={inPercent} /> : <None />)}
        </Loaded>
      </Panel>
    </div>
  );
}

const None = () => <Text size="sm" c="dimmed">QuantConnect made no such chart for this run.</Text>;

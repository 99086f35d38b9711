// Curves over time. The library draws on a canvas, so colours come from the style sheet's variables.

import { useComputedColorScheme } from "@mantine/core";
import {
  AreaSeries,
  type ChartOptions,
  createChart,
  createSeriesMarkers,
  type DeepPartial,
  type IChartApi,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineSeries,
  type SeriesMarker,
  type TickMarkType,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useMemo, useRef } from "react";
import { axisTime, compact, dayTime } from "@/format";

export interface Point {
  /** Seconds since 1970. */
  time: number;
  value: number;
}

interface Marker {
  time: number;
  side: "buy" | "sell";
  text?: string;
}

export interface Series {
  name: string;
  points: readonly Point[];
  /** A variable of the style sheet: "--brand", "--up", "--down", "--series-2" … */
  color?: string;
  kind?: "line" | "area";
  /** Below the first: 1 is a smaller chart on the same times. */
  pane?: number;
  /** Of its values, where they are not those of the chart. */
  format?: (value: number) => string;
  markers?: readonly Marker[];
}

interface Props {
  /** What it shows, for those who cannot see it; the newest values are added. */
  label: string;
  series: readonly Series[];
  height?: number;
  /** Of the values, on the axis and in the label. */
  format?: (value: number) => string;
}

const SMALLEST = 0.0001; // difference of two values on an axis
const UPPER_SHARE = 2.4; // of the first pane, against one below it
// The library's own labels are in UTC, whatever the page's times are.
const labelAt = (at: Time): string => dayTime(new Date(Number(at) * 1000).toISOString());
const labelOnAxis = (at: Time, kind: TickMarkType): string => axisTime(Number(at), kind);
export const OPTIONS: DeepPartial<ChartOptions> = {
  autoSize: true,
  layout: { attributionLogo: true, fontFamily: "'Inter Variable', sans-serif", background: { color: "transparent" } },
  rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.1 } },
  localization: { timeFormatter: labelAt },
  timeScale: { tickMarkFormatter: labelOnAxis, borderVisible: false, timeVisible: true, secondsVisible: false, minBarSpacing: 0.05, fixLeftEdge: true, fixRightEdge: true },
  handleScroll: { mouseWheel: false, vertTouchDrag: false }, // the page still scrolls over a chart
  handleScale: { mouseWheel: false },
};
type Drawn = ISeriesApi<"Line"> | ISeriesApi<"Area">;
const PALETTE = ["--brand-line", "--series-2", "--series-3", "--series-4"];
const colorOf = (series: Series, index: number): string => series.color ?? PALETTE[index % PALETTE.length] ?? "--brand-line";
const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Points in order, one for each second: the library refuses anything else. */
export function ordered(points: readonly Point[]): { time: UTCTimestamp; value: number }[] {
  const bySecond = new Map<number, number>();
  for (const { time, value } of points) if (Number.isFinite(value)) bySecond.set(Math.floor(time), value);
  return [...bySecond].sort(([a], [b]) => a - b).map(([time, value]) => ({ time: time as UTCTimestamp, value }));
}

function marks(series: Series): SeriesMarker<UTCTimestamp>[] {
  return [...(series.markers ?? [])]
    .sort((a, b) => a.time - b.time)
    .map((one) => ({
      time: Math.floor(one.time) as UTCTimestamp,
      position: one.side === "buy" ? "belowBar" : "aboveBar",
      shape: one.side === "buy" ? "arrowUp" : "arrowDown",
      color: css(one.side === "buy" ? "--up" : "--down"),
      text: one.text,
    }));
}

interface Made {
  series: Drawn;
  markers: ISeriesMarkersPluginApi<Time>;
}

function add(chart: IChartApi, series: Series, index: number, formatter: (value: number) => string): Made {
  const color = css(colorOf(series, index));
  const common = {
    lineWidth: 2 as const,
    priceLineVisible: false,
    priceFormat: { type: "custom" as const, formatter, minMove: SMALLEST },
  };
  const pane = series.pane ?? 0;
  const drawn: Drawn =
    series.kind === "area"
      ? chart.addSeries(AreaSeries, { ...common, lineColor: color, topColor: `${color}44`, bottomColor: `${color}05` }, pane)
      : chart.addSeries(LineSeries, { ...common, color }, pane);
  return { series: drawn, markers: createSeriesMarkers(drawn, []) };
}

/** What series are there and how they look: another one means drawing anew. */
const shapeOf = (series: readonly Series[]): string =>
  JSON.stringify(series.map(({ name, kind, pane, color }) => [name, kind, pane, color]));

/** Lines and areas over time, with marks where something was bought or sold. */
export function Chart({ label, series, height = 260, format = compact }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<IChartApi | null>(null);
  const made = useRef<Made[]>([]);
  const held = useRef({ moved: false, first: NaN }); // whoever has moved it stays where they are
  const scheme = useComputedColorScheme("light");
  const shape = shapeOf(series);
  const newestSeries = useRef(series);
  newestSeries.current = series;
  const curves = useMemo(() => series.map((one) => ordered(one.points)), [series]);

  useEffect(() => {
    if (!place.current) return;
    const drawn = createChart(place.current, OPTIONS);
    chart.current = drawn;
    return () => {
      chart.current = null;
      drawn.remove();
    };
  }, []);

  useEffect(() => {
    const drawn = chart.current;
    if (!drawn) return;
    drawn.applyOptions({
      layout: { textColor: css("--soft"), panes: { separatorColor: css("--line") } },
      grid: { vertLines: { color: css("--line") }, horzLines: { color: css("--line") } },
    });
    made.current = newestSeries.current.map((one, index) => add(drawn, one, index, one.format ?? format));
    drawn.panes()[0]?.setStretchFactor(drawn.panes().length > 1 ? UPPER_SHARE : 1);
    return () => {
      if (chart.current === drawn) made.current.forEach((one) => drawn.removeSeries(one.series));
      made.current = [];
    };
  }, [shape, scheme, format]);

  useEffect(() => {
    series.forEach((one, index) => {
      made.current[index]?.series.setData(curves[index] ?? []);
      made.current[index]?.markers.setMarkers(marks(one));
    });
    const first = Math.min(...curves.flatMap(([one]) => one?.time ?? []));
    if (first !== held.current.first) held.current = { moved: false, first };
    if (!held.current.moved) chart.current?.timeScale().fitContent();
  }, [series, curves, shape, scheme, format]);

  const newest = series.map((one, index) => {
    const last = curves[index]?.at(-1);
    return `${one.name} ${last ? (one.format ?? format)(last.value) : "no values"}`;
  });
  return (
    <figure className="chart" aria-label={`${label}. Newest: ${newest.join(", ")}`}>
      {series.length > 1 && (
        <figcaption className="legend">
          {series.map((one, index) => (
            <span key={one.name}>
              <i style={{ background: `var(${colorOf(one, index)})` }} aria-hidden />
              {one.name}
            </span>
          ))}
        </figcaption>
      )}
      <div
        ref={place}
        style={{ height }}
        onPointerDown={() => {
          held.current.moved = true;
        }}
      />
    </figure>
  );
}

import { Text, VisuallyHidden } from "@mantine/core";
import * as f from "@/format";
import type { Calibration } from "../queries";

type Bin = Calibration["bins"][number];
const SIZE = 260;
const PAD = 30;
const GRID = [0, 0.25, 0.5, 0.75, 1];
const x = (value: number) => PAD + value * (SIZE - PAD - 14);
const y = (value: number) => 8 + (1 - value) * (SIZE - PAD - 8);

/** Stated confidence against what came true: on the dashed line a model keeps its word. */
export function Reliability({ bins, label }: { bins: readonly Bin[]; label: string }) {
  const points = bins.map((bin) => ({
    x: x(Number(bin.mean_confidence)),
    y: y(Number(bin.share.hit_rate)),
    low: y(Number(bin.share.low)),
    high: y(Number(bin.share.high)),
    text: `Confidence ${f.share(bin.mean_confidence)}: right ${f.share(bin.share.hit_rate)} of ${f.count(bin.share.count)}`,
  }));
  return (
    <figure className="reliability" aria-label={`Reliability of ${label}`}>
      <svg viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden>
        {GRID.map((value) => (
          <g key={value}>
            <line className="rule" x1={x(0)} x2={x(1)} y1={y(value)} y2={y(value)} />
            <line className="rule" x1={x(value)} x2={x(value)} y1={y(0)} y2={y(1)} />
            <text x={x(value)} y={SIZE - 14} textAnchor="middle">{f.share(value)}</text>
            <text x={PAD - 4} y={y(value) + 3} textAnchor="end">{f.share(value)}</text>
          </g>
        ))}
        <line className="ideal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
        <polyline className="curve" points={points.map((one) => `${one.x},${one.y}`).join(" ")} />
        {points.map((one) => (
          <g key={one.text}>
            <line className="interval" x1={one.x} x2={one.x} y1={one.low} y2={one.high} />
            <circle cx={one.x} cy={one.y} r={4}>
              <title>{one.text}</title>
            </circle>
          </g>
        ))}
        <text x={x(0.5)} y={SIZE - 2} textAnchor="middle">stated confidence</text>
      </svg>
      <Text size="xs" c="dimmed" component="figcaption">
        Right in so many of its buys and sells (up), by stated confidence (right). Bars hold the true rate 19 times of 20.
      </Text>
      <VisuallyHidden>
        <ul>{points.map((one) => <li key={one.text}>{one.text}</li>)}</ul>
      </VisuallyHidden>
    </figure>
  );
}

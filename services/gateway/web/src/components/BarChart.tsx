import { Text, VisuallyHidden } from "@mantine/core";

export interface Bar {
  label: string;
  value: number;
  /** The value in words. */
  text: string;
}

interface Props {
  label: string;
  bars: readonly Bar[];
  /** A line that bars should stay under. */
  limit?: { value: number; text: string } | null;
  height?: number;
}

const WIDTH = 600;
const GAP = 0.25; // of a bar's place

/** Bars side by side, with a line for a budget; the same numbers stand in a table for screen readers. */
export function BarChart({ label, bars, limit, height = 180 }: Props) {
  const most = Math.max(...bars.map((bar) => bar.value), limit?.value ?? 0) || 1;
  const place = WIDTH / Math.max(bars.length, 1);
  const level = (value: number) => height - (Math.max(0, value) / most) * (height - 8);
  return (
    <figure className="bars" aria-label={label}>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" style={{ height }} aria-hidden>
        {bars.map((bar, index) => (
          <rect
            key={bar.label}
            className={limit && bar.value > limit.value ? "bar over" : "bar"}
            x={index * place + (place * GAP) / 2}
            width={place * (1 - GAP)}
            y={level(bar.value)}
            height={height - level(bar.value)}
          >
            <title>{`${bar.label}: ${bar.text}`}</title>
          </rect>
        ))}
        {limit && <line className="limit" x1={0} x2={WIDTH} y1={level(limit.value)} y2={level(limit.value)} />}
      </svg>
      <div className="bars-axis" aria-hidden>
        <Text size="xs" c="dimmed">{bars[0]?.label}</Text>
        {limit && <Text size="xs" c="dimmed">- - {limit.text}</Text>}
        <Text size="xs" c="dimmed">{bars.length > 1 ? bars.at(-1)?.label : ""}</Text>
      </div>
      <VisuallyHidden>
        <table>
          <caption>{limit ? `${label}, ${limit.text}` : label}</caption>
          <tbody>
            {bars.map((bar) => (
              <tr key={bar.label}>
                <th scope="row">{bar.label}</th>
                <td>{bar.text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

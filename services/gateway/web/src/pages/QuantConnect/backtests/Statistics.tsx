import { Group, Text } from "@mantine/core";
import { InfoTip } from "@/components/InfoTip";
import type { BacktestDetail } from "../queries";
import { meaning, ordered } from "./statistics";

/** A name with its meaning. */
export function Term({ name }: { name: string }) {
  const means = meaning(name);
  return (
    <Group gap={2} wrap="nowrap" component="span">
      {name}
      {means && <InfoTip about={name}>{means}</InfoTip>}
    </Group>
  );
}

export function Statistics({ one }: { one: BacktestDetail }) {
  const names = ordered(one.statistics);
  if (names.length === 0) return <Text size="sm" c="dimmed">QuantConnect gave no statistics.</Text>;
  return (
    <dl className="statistics">
      {names.map((name) => (
        <div key={name}>
          <dt>
            <Term name={name} />
          </dt>
          <dd>{one.statistics?.[name]}</dd>
        </div>
      ))}
    </dl>
  );
}

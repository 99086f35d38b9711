import { Group } from "@mantine/core";
import { InfoTip } from "@/components/InfoTip";

/** The name of a field with what it means. */
export function Label({ name, tip }: { name: string; tip: string }) {
  return (
    <Group component="span" gap={2} wrap="nowrap" display="inline-flex">
      {name} <InfoTip about={name}>{tip}</InfoTip>
    </Group>
  );
}

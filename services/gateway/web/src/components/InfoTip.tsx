import { ActionIcon, Tooltip } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";

/** What a term means, on hover, focus and touch. */
export function InfoTip({ about, children }: { about: string; children: string }) {
  return (
    <Tooltip label={children}>
      <ActionIcon size={24} m={-3} aria-label={`About ${about}: ${children}`} className="info-tip">
        <IconInfoCircle size={15} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

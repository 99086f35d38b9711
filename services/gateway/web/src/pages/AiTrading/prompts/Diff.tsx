import { Text, VisuallyHidden } from "@mantine/core";
import { useMemo } from "react";
import { diff } from "./diff";

const SIGNS = { same: " ", added: "+", removed: "−" } as const;
const SPOKEN = { same: "", added: "added: ", removed: "removed: " } as const;

/** What changed between two texts, line by line. */
export function Diff({ label, before, after }: { label: string; before: string; after: string }) {
  const lines = useMemo(() => diff(before, after), [before, after]);
  if (before === after) return <Text size="sm" c="dimmed">{label}: no difference.</Text>;
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>{label}</Text>
      <div className="words diff" tabIndex={0} role="group" aria-label={`Changes of the ${label.toLowerCase()}`}>
        {lines.map((line, index) => (
          <div key={index} className={line.kind}>
            <span aria-hidden>{SIGNS[line.kind]} </span>
            <VisuallyHidden>{SPOKEN[line.kind]}</VisuallyHidden>
            {line.text}
          </div>
        ))}
      </div>
    </div>
  );
}

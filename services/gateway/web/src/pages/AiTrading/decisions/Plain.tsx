import { Text } from "@mantine/core";

/** Words of a model, a prompt or a headline, exactly as they are; never as markup. */
export function Plain({ label, children }: { label: string; children: string | undefined }) {
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>{label}</Text>
      <pre className="words" tabIndex={0} aria-label={label}>
        {children || "(empty)"}
      </pre>
    </div>
  );
}

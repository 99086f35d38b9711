import { Accordion, Code, Text } from "@mantine/core";
import type { Variable } from "../queries";

/** Every name that a prompt may use, with an example of what stands in its place. */
export function VariableList({ variables }: { variables: readonly Variable[] }) {
  return (
    <Accordion variant="contained">
      <Accordion.Item value="variables">
        <Accordion.Control>Variables ({variables.length})</Accordion.Control>
        <Accordion.Panel>
          <dl className="variables">
            {variables.map((one) => (
              <div key={one.name}>
                <dt><Code>{`{{${one.name}}}`}</Code></dt>
                <dd>
                  <Text size="sm">{one.description}</Text>
                  <Text size="xs" c="dimmed" className="plain">
                    {one.trusted === false ? "Written by others: user part only. " : ""}
                    {one.example}
                  </Text>
                </dd>
              </div>
            ))}
          </dl>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

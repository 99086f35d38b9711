import { Button, Group, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useAddress } from "@/address";
import { useMay } from "@/api/shared";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { TERMS } from "../terms";
import { type Prompt, usePrompts, useVersions } from "../queries";
import { Draft } from "./Draft";
import { Versions } from "./Versions";

const NEW = "new";

/** Prompts: their words, a preview against the market, and every version with what it was worth. */
export function Prompts() {
  return <Loaded query={usePrompts()} height={480}>{({ items }) => <Chosen prompts={items} />}</Loaded>;
}

function Chosen({ prompts }: { prompts: readonly Prompt[] }) {
  const [{ prompt: wanted, version }, set] = useAddress("prompt", "version");
  const may = useMay("admin");
  const adding = wanted === NEW;
  const prompt = adding ? null : (prompts.find((one) => one.id === wanted) ?? prompts.find((one) => one.used_by.length > 0) ?? prompts[0] ?? null);
  const choose = (id: string, chosen?: number) => set({ prompt: id, version: chosen?.toString() });
  return (
    <>
      <Group gap="sm" align="flex-end">
        <Select
          label="Prompt"
          w={300}
          data={prompts.map((one) => ({ value: one.id, label: one.built_in ? `${one.name} (built in)` : one.name }))}
          value={prompt?.id ?? null}
          placeholder="A new prompt"
          onChange={(id) => id && choose(id)}
          allowDeselect={false}
        />
        <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => choose(NEW)} disabled={!may || adding}>
          New prompt
        </Button>
      </Group>
      {prompt ? (
        <One key={prompt.id} prompt={prompt} wanted={Number(version) || null} onChoose={choose} />
      ) : adding ? (
        <Draft key={NEW} prompt={null} base={null} newest={null} active={null} onSaved={choose} />
      ) : (
        <Empty height={200}>There is no prompt yet. Write one; decisions use it once a config names it.</Empty>
      )}
    </>
  );
}

interface OneProps {
  prompt: Prompt;
  wanted: number | null;
  onChoose: (id: string, version?: number) => void;
}

function One({ prompt, wanted, onChoose }: OneProps) {
  const query = useVersions(prompt.id);
  return (
    <Loaded query={query} height={480}>
      {({ items }) => {
        const active = items.find((one) => one.active) ?? null;
        const base = items.find((one) => one.version === wanted) ?? active ?? items[0] ?? null;
        return (
          <>
            <Draft key={wanted} prompt={prompt} base={base} newest={items[0] ?? null} active={active} onSaved={onChoose} />
            <Panel title="Versions" tip={TERMS.version}>
              <Versions versions={items} active={active} onEdit={(version) => onChoose(prompt.id, version)} />
            </Panel>
          </>
        );
      }}
    </Loaded>
  );
}

import { Alert, Badge, Button, Checkbox, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { useBlocker } from "react-router";
import { api, must } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { Discard } from "@/components/Discard";
import { Problem } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { type Prompt, useVariables, type Version } from "../queries";
import { TERMS } from "../terms";
import { Preview } from "./Preview";
import { PromptEditor } from "./PromptEditor";
import { knownOf } from "./placeholders";
import { VariableList } from "./VariableList";

interface Props {
  prompt: Prompt | null; // none: a new one
  base: Version | null; // whose words the editor begins with
  newest: Version | null;
  active: Version | null;
  /** With its version when that is not the one in use. */
  onSaved: (id: string, version?: number) => void;
}

const STARTER = "Decide on {{symbols}}.\n{{market}}\n{{news}}\n";
const NONE: never[] = [];
type Words = Pick<Version, "system" | "user">;
const wordsOf = (base: Version | null): Words => base ?? { system: "", user: STARTER };
const same = (a: Words, b: Words): boolean => a.system === b.system && a.user === b.user;
const PLACE = ["prompt", "version"]; // of the address: what is being written

/** Words being written, with what they would be sent as now. Saving makes a further version. What others save meanwhile never takes their place. */
export function Draft({ prompt, base: given, newest, active, onSaved }: Props) {
  const [{ base, seen }, begin] = useState({ base: given, seen: newest?.version });
  const [{ system, user }, write] = useState(wordsOf(base));
  const draft = { system, user };
  const changed = !same(draft, wordsOf(base));
  if ((given?.version !== base?.version || newest?.version !== seen) && (!changed || same(draft, wordsOf(given)))) {
    begin({ base: given, seen: newest?.version });
    write(wordsOf(given));
  }
  const saved = useRef(false);
  const leaving = useBlocker(({ currentLocation: from, nextLocation: to }) => {
    const [was, will] = [new URLSearchParams(from.search), new URLSearchParams(to.search)];
    return changed && !saved.current && (from.pathname !== to.pathname || PLACE.some((name) => was.get(name) !== will.get(name)));
  });
  const variables = useVariables().data?.items ?? NONE;
  const known = useMemo(() => knownOf(variables), [variables]);
  const title = prompt ? `${prompt.name}, version ${base?.version ?? 1}` : "New prompt";
  return (
    <div className="grid">
      {leaving.state === "blocked" && <Discard onKeep={leaving.reset} onDiscard={leaving.proceed} />}
      <Panel
        title={title}
        tip="A prompt has a system part (the method, the same for every call) and a user part (the data). Fixed rules about the form of the answer stand before both; you need not repeat them."
        className="half"
        actions={
          <Group gap="sm">
            {base && base.version === active?.version && <Badge color="green">Active</Badge>}
            {base && changed && <Badge color="yellow">Changed, not saved</Badge>}
          </Group>
        }
      >
        <Stack gap="sm">
          <Text size="sm" fw={500}>System part</Text>
          <PromptEditor label="System part" part="system" value={system} onChange={(text) => write((words) => ({ ...words, system: text }))} known={known} />
          <Text size="sm" fw={500}>User part</Text>
          <PromptEditor label="User part" part="user" value={user} onChange={(text) => write((words) => ({ ...words, user: text }))} known={known} />
          <Text size="xs" c="dimmed">Type {"{{"} for the variables. Text that others wrote, as {"{{news}}"}, stands in the user part only.</Text>
          <Save
            prompt={prompt}
            draft={draft}
            changed={changed}
            meanwhile={newest && newest.version !== seen ? newest : null}
            onSaved={(id, version) => {
              saved.current = true; // this leaving loses nothing
              onSaved(id, version);
              saved.current = false;
            }}
          />
          <VariableList variables={variables} />
        </Stack>
      </Panel>
      <Panel title="Preview" tip="What would be sent now, filled by the server from the market as it is. No model is asked." className="half">
        <Preview system={system} user={user} known={known} usedBy={prompt?.used_by ?? NONE} />
      </Panel>
    </div>
  );
}

interface SaveProps {
  prompt: Prompt | null;
  draft: Words;
  changed: boolean;
  meanwhile: Version | null; // saved by somebody else since the draft was begun
  onSaved: Props["onSaved"];
}

function Save({ prompt, draft, changed, meanwhile, onSaved }: SaveProps) {
  const may = useMay("admin");
  const refresh = useRefresh();
  const [name, setName] = useState("");
  const [activate, setActivate] = useState(true);
  const fresh = !prompt || prompt.built_in || name.trim() !== "";
  const save = useMutation({
    mutationFn: () =>
      must(api.POST("/api/ai-trading/prompts", { body: { ...draft, activate, ...(fresh ? { name: name.trim() } : { id: prompt?.id }) } })),
    onSuccess: async (saved) => {
      const used = saved.active_version === saved.version;
      told(`Version ${saved.version} of ${saved.name} is saved${used ? " and used from now on" : ""}.`);
      await refresh("prompts", "llm-config");
      onSaved(saved.id, used ? undefined : saved.version);
    },
  });
  const ready = may && (fresh ? name.trim() !== "" : changed);
  return (
    <form
      aria-label="Save the prompt"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) save.mutate();
      }}
    >
      <Stack gap="sm">
        <Group gap="sm" align="flex-end">
          <TextInput
            label={prompt && !prompt.built_in ? "Save under another name" : "Name"}
            description={prompt?.built_in ? "The built-in prompt stays as it is: save yours under a name of its own." : undefined}
            placeholder={prompt && !prompt.built_in ? "Empty: a further version" : "Momentum by the minute"}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            className="grows"
          />
          <Button type="submit" loading={save.isPending} disabled={!ready}>
            {fresh ? "Save as a new prompt" : "Save a new version"}
          </Button>
        </Group>
        <Checkbox label="Use it from now on" description={TERMS.activate} checked={activate} onChange={(event) => setActivate(event.currentTarget.checked)} />
        {meanwhile && !save.isPending && (
          <Alert role="note" color="yellow" variant="light" title={`Version ${meanwhile.version} was saved meanwhile by ${meanwhile.created_by || "Signalbox"}`}>
            <Text size="sm">Your words are kept as you write them. Look at that version below before you save yours as a further one.</Text>
          </Alert>
        )}
        {save.error && <Problem error={save.error} what="It was not saved" />}
      </Stack>
    </form>
  );
}

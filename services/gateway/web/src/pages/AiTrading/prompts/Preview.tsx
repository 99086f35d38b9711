import { Alert, List, Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, ApiError, must, type Schemas } from "@/api/client";
import { useMay } from "@/api/shared";
import { Facts } from "@/components/Facts";
import { Empty, Problem } from "@/components/Loaded";
import * as f from "@/format";
import { Plain } from "../decisions/Plain";
import { type Config, useConfigs } from "../queries";
import { type Known, unknown } from "./placeholders";

const DEBOUNCE_MS = 200;
const AGAIN_MS = 5000; // the market moves on

interface Props {
  system: string;
  user: string;
  known: Known;
  usedBy: readonly string[];
}

/** What would be sent now, and what it would cost. What was shown last stays until the next is there. */
export function Preview({ system, user, known, usedBy }: Props) {
  const configs = useConfigs().data?.items.filter((one) => one.symbols.length > 0) ?? [];
  const may = useMay("trader");
  const [chosen, setChosen] = useState<string | null>(null);
  const config = configs.find((one) => one.id === chosen) ?? configs.find((one) => usedBy.includes(one.id)) ?? configs[0];
  const [draft] = useDebouncedValue({ system, user }, DEBOUNCE_MS);
  const query = useQuery({
    queryKey: ["prompt-preview", config?.id, draft],
    queryFn: () => must(api.POST("/api/ai-trading/prompts/preview", { body: { ...draft, config_id: config?.id } })),
    enabled: config !== undefined && may,
    refetchInterval: (running) => (running.state.status === "error" ? false : AGAIN_MS),
    retry: false,
    gcTime: 0,
  });
  const last = useRef<Schemas["PreviewView"] | null>(null);
  if (query.data) last.current = query.data;
  const wrong = [...new Set([...unknown(system, known), ...unknown(user, known)])];
  return (
    <Stack gap="md">
      <ForWhom configs={configs} config={config} onChoose={setChosen} />
      <div role="status" aria-label="Placeholders">
        {wrong.length > 0 ? (
          <Alert role="group" color="red" variant="light" p="sm" title={wrong.length === 1 ? "Unknown placeholder" : "Unknown placeholders"}>
            <Text size="sm">{wrong.map((name) => `{{${name}}}`).join(", ")}: no variable has this name. Type {"{{"} in the editor to see those there are.</Text>
          </Alert>
        ) : null}
      </div>
      {query.error && <Wrong error={query.error} onRetry={() => void query.refetch()} />}
      {last.current ? (
        <Shown preview={last.current} old={query.data === undefined} />
      ) : query.error ? null : (
        <Empty height={200}>{config ? (may ? "The preview comes in a moment." : "Only a trader may preview a prompt.") : "Add a config with symbols first: its model, interval and symbols are used for the preview."}</Empty>
      )}
    </Stack>
  );
}

function ForWhom({ configs, config, onChoose }: { configs: readonly Config[]; config: Config | undefined; onChoose: (id: string | null) => void }) {
  return (
    <Select
      size="xs"
      label="As this config would send it"
      data={configs.map((one) => ({ value: one.id, label: `${one.name}: ${one.symbols.join(", ")}` }))}
      value={config?.id ?? null}
      onChange={onChoose}
      allowDeselect={false}
      placeholder="No config has symbols"
    />
  );
}

/** Every place that is wrong, with line and column; or why there is no preview. */
function Wrong({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const places = error instanceof ApiError ? error.fields.filter((one) => one.line) : [];
  if (places.length === 0) return <Problem error={error} what="There is no preview" retry={onRetry} />;
  return (
    <Alert color="red" variant="light" title="It cannot be used like this" role="alert">
      <List size="sm">
        {places.map((one) => (
          <List.Item key={`${one.field}${one.line}.${one.column}`}>
            {f.sentence(one.field)} part, line {one.line}, column {one.column}: {one.message}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

function Shown({ preview, old }: { preview: Schemas["PreviewView"]; old: boolean }) {
  const warnings = preview.warnings ?? [];
  return (
    <div className={old ? "old" : undefined} aria-busy={old}>
      <Facts
        items={[
          ["Size", preview.tokens_estimated == null ? null : `about ${f.count(preview.tokens_estimated)} tokens`],
          ["A call costs about", f.cost(preview.cost_usd_estimated)],
          ["At most", f.cost(preview.cost_usd_worst)],
        ]}
      />
      {warnings.length > 0 && (
        <List size="sm" className="warn" my="sm">
          {warnings.map((one) => <List.Item key={one}>{one}</List.Item>)}
        </List>
      )}
      <div className="spaced">
        <Plain label="User part, filled">{preview.user}</Plain>
        <Plain label="System part, with the fixed rules before it">{preview.system}</Plain>
      </div>
    </div>
  );
}

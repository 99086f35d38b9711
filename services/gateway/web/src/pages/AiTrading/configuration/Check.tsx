import { Alert, Button, List, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { api, must, type Schemas } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { Problem } from "@/components/Loaded";
import { count, sentence } from "@/format";
import type { Config } from "../queries";

/** Asks the provider about key and model; spends nothing. */
export function useCheck(configId: string) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: () => must(api.POST("/api/ai-trading/config/{config_id}/test", { params: { path: { config_id: configId } } })),
    onSuccess: () => refresh("llm-config", "llm-status"),
  });
}

export function Check({ config }: { config: Config }) {
  const check = useCheck(config.id);
  const may = useMay("trader");
  return (
    <>
      <Button size="xs" variant="default" onClick={() => check.mutate()} loading={check.isPending} disabled={!may || config.todo !== ""}>
        Check key and model
      </Button>
      {check.error && <Problem error={check.error} what="It could not be checked" />}
      {check.data && <Checked found={check.data} />}
    </>
  );
}

const SHOWN = ["lifecycle", "retires_at", "max_input_tokens", "max_tokens", "efforts"];
const worded = (value: unknown): string => (Array.isArray(value) ? value.join(", ") : typeof value === "number" ? count(value) : String(value));

/** What the provider said. */
export function Checked({ found }: { found: Schemas["LlmTest"] }) {
  const facts = Object.entries(found.model ?? {}).filter(([name]) => SHOWN.includes(name));
  return (
    <Alert
      color={found.connected ? "green" : "red"}
      variant="light"
      title={found.connected ? "Accepted; nothing was spent" : "Not accepted; nothing was spent"}
      w="100%"
      p="sm"
      role="status"
    >
      <Text size="sm">{found.message}</Text>
      {facts.length > 0 && <Text size="sm">{facts.map(([name, value]) => `${sentence(name)} ${worded(value)}`).join(" · ")}</Text>}
      {(found.left_out?.length ?? 0) > 0 && <Text size="sm">Not sent, since the model does not take it: {found.left_out?.join(", ")}.</Text>}
      {(found.warnings?.length ?? 0) > 0 && <List size="sm">{found.warnings?.map((one) => <List.Item key={one}>{one}</List.Item>)}</List>}
    </Alert>
  );
}

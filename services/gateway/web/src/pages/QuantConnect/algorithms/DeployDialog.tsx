import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api, must, refused, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useFilters } from "@/components/filters";
import { SelectField } from "@/components/fields";
import { FormDialog, useClosing } from "@/components/FormDialog";
import { Problem } from "@/components/Loaded";
import { type Algorithm, useAlgorithm } from "../queries";
import { keyOf, parametersProblem, parametersText, parseParameters } from "../words";

interface Given {
  node: string | null;
  parameters: string;
}

interface Props {
  algorithm: Algorithm;
  onClose: () => void;
}

/** What is sent: only what was chosen. */
function deployBody({ node, parameters }: Given): Schemas["DeployBody"] {
  return { ...(node ? { node_id: node } : {}), parameters: parseParameters(parameters) };
}

/** Starts an algorithm on a live node; how far it is stands on the tab of algorithms then. */
export function DeployDialog({ algorithm, onClose }: Props) {
  return (
    <FormDialog opened onClose={onClose} title={`Deploy ${algorithm.name}?`}>
      <DeployForm algorithm={algorithm} onClose={onClose} />
    </FormDialog>
  );
}

function DeployForm({ algorithm, onClose }: Props) {
  const [, setFilter] = useFilters("job");
  const detail = useAlgorithm(algorithm.id, algorithm.config_id);
  const form = useForm<Given>({
    initialValues: { node: null, parameters: "" },
    validate: { parameters: parametersProblem },
  });
  const deploy = useMutation({
    mutationFn: (given: Given) => {
      const body = deployBody(given);
      return once(`deploy ${keyOf(algorithm)} ${JSON.stringify(body)}`, (key) =>
        must(
          api.POST("/api/quantconnect/algorithms/{algorithm_id}/deploy", {
            params: {
              path: { algorithm_id: algorithm.id },
              query: { config: algorithm.config_id },
              header: { "idempotency-key": key },
            },
            body,
          }),
        ),
      );
    },
    onSuccess: (job) => {
      setFilter("job", job.id);
      onClose();
    },
  });
  useClosing(() => (deploy.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  const nodes = detail.data?.nodes?.live ?? [];
  const own = parametersText(detail.data?.parameters);
  return (
    <form onSubmit={form.onSubmit((given) => deploy.mutate(given))}>
      <Stack gap="md">
        <Text size="sm">
          QuantConnect compiles the project and runs it live on its own paper brokerage: no money moves there. What it says
          becomes signals here, and your bots act on them.
        </Text>
        <SelectField
          form={form}
          path="node"
          label="Live node"
          description="The machine at QuantConnect that it runs on."
          placeholder={detail.isPending ? "Reading the nodes…" : "The first that is free"}
          clearable
          data={nodes.map((node) => ({
            value: node.id,
            label: node.busy ? `${node.name}, runs ${node.used_by ?? "something"}` : `${node.name}, free`,
            disabled: node.busy,
          }))}
        />
        <Textarea
          label="Parameters"
          description="One a line, as name = value; those you leave out keep what the project says."
          placeholder={own || "lookback = 5"}
          rows={3}
          resize="vertical"
          className="mono"
          {...form.getInputProps("parameters")}
        />
        {detail.error && <Problem error={detail.error} what="Its nodes and parameters could not be read" />}
        {deploy.error && (
          <Problem error={deploy.error} what={refused(deploy.error) ? "It was not deployed" : "It may have been deployed. Deploy it again unchanged: it starts once"} />
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose} disabled={deploy.isPending}>
            Cancel
          </Button>
          <Button type="submit" loading={deploy.isPending}>
            Deploy
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

import { Alert, Group, Progress, Text } from "@mantine/core";
import { useFilters } from "@/components/filters";
import { Problem } from "@/components/Loaded";
import * as f from "@/format";
import { type Job, useAlgorithms, useJob } from "../queries";

const ENDS: Record<string, [color: string, title: string]> = {
  running: ["blue", "is being deployed"],
  done: ["green", "is deployed"],
  failed: ["red", "was not deployed"],
};

/** How far the deployment is that the address names: `?job=ID`. */
export function JobProgress() {
  const [{ job: id }, setFilter] = useFilters("job");
  const query = useJob(id);
  if (!id) return null;
  if (query.error) return <Problem error={query.error} what="The deployment could not be followed" retry={() => void query.refetch()} />;
  return query.data ? <Shown job={query.data} onClose={() => setFilter("job", null)} /> : null;
}

function Shown({ job, onClose }: { job: Job; onClose: () => void }) {
  const [color, title] = ENDS[job.status] ?? ["blue", "is being deployed"];
  const { data: algorithms } = useAlgorithms();
  const listed = algorithms?.items.find((one) => one.id === job.algorithm_id);
  const name = job.algorithm_name || listed?.name || `Project ${job.algorithm_id}`;
  return (
    <Alert
      color={color}
      variant="light"
      title={`${name} ${title}`}
      role="status"
      withCloseButton={job.status !== "running"}
      closeButtonLabel="Close this message"
      onClose={onClose}
    >
      {job.status === "running" && (
        <Group gap="sm" mb="xs" wrap="nowrap">
          <Progress value={100 * (job.progress ?? 0)} className="grows" aria-label="How far the deployment is" />
          <Text size="xs" c="dimmed" className="number">
            {f.share(job.progress)}
          </Text>
        </Group>
      )}
      <Text size="sm">{[job.step && job.status === "running" && `${f.sentence(job.step)}.`, job.message].filter(Boolean).join(" ")}</Text>
    </Alert>
  );
}

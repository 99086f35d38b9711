import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, must } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { Facts } from "@/components/Facts";
import { Problem } from "@/components/Loaded";
import { told } from "@/components/toasts";
import { Time } from "@/components/Values";
import * as f from "@/format";
import { Plain } from "../decisions/Plain";
import { hitRate } from "../overview/Performance";
import type { Version } from "../queries";
import { Diff } from "./Diff";

interface Props {
  version: Version;
  versions: readonly Version[];
  active: Version | null;
  onClose: () => void;
  onEdit: () => void;
}

/** One version: how it has done, what it changed, and the way back to it. */
export function VersionDetail({ version, versions, active, onClose, onEdit }: Props) {
  const others = versions.filter((one) => one.version !== version.version);
  const start = version.active ? others[0] : (active ?? others[0]);
  const [against, setAgainst] = useState<string | null>(start ? String(start.version) : null);
  const other = others.find((one) => String(one.version) === against);
  const { usage, scored } = version;
  return (
    <Stack gap="md">
      <Facts
        items={[
          ["Saved", <Time key="t" at={version.created_at} />],
          ["By", version.created_by || "Signalbox"],
          ["Decisions", f.count(usage.decisions)],
          ["Became a signal", f.count(usage.signals)],
          ["Valid answers", f.share(usage.validity)],
          ["Buy / sell / close / hold", `${usage.buys} / ${usage.sells} / ${usage.closes} / ${usage.holds}`],
          ["Abstained", f.count(usage.abstained)],
          ["Refused, cut off, invalid", `${usage.refused}, ${usage.truncated}, ${usage.invalid}`],
          ["Hit rate", hitRate(scored)],
          ["Scored", f.count(scored.count)],
          ["Cost", f.cost(usage.cost_usd)],
          ["Per decision", f.cost(usage.cost_per_decision)],
        ]}
      />
      {others.length > 0 && (
        <Select
          size="xs"
          w={240}
          label="Compare with"
          data={others.map((one) => ({ value: String(one.version), label: `Version ${one.version}${one.active ? " (active)" : ""}` }))}
          value={against}
          onChange={setAgainst}
          allowDeselect={false}
        />
      )}
      {other ? (
        <>
          <Text size="xs" c="dimmed">+ stands in version {version.version} only, − in version {other.version} only.</Text>
          <Diff label="System part" before={other.system} after={version.system} />
          <Diff label="User part" before={other.user} after={version.user} />
        </>
      ) : (
        <>
          <Plain label="System part">{version.system}</Plain>
          <Plain label="User part">{version.user}</Plain>
        </>
      )}
      <Activate version={version} active={active} onDone={onClose} onEdit={onEdit} />
    </Stack>
  );
}

function Activate({ version, active, onDone, onEdit }: { version: Version; active: Version | null; onDone: () => void; onEdit: () => void }) {
  const may = useMay("admin");
  const refresh = useRefresh();
  const back = active !== null && version.version < active.version;
  const save = useMutation({
    mutationFn: () =>
      must(
        api.POST("/api/ai-trading/prompts/{prompt_id}/activate", {
          params: { path: { prompt_id: version.prompt_id } },
          body: { version: version.version },
        }),
      ),
    onSuccess: async () => {
      told(`Decisions use version ${version.version} of ${version.name} from now on.`);
      await refresh("prompts");
      onDone();
    },
  });
  return (
    <>
      {save.error && <Problem error={save.error} what="It was not activated" />}
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={onEdit}>Edit from here</Button>
        <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!may || version.active}>
          {version.active ? "In use" : back ? "Roll back to this version" : "Use this version"}
        </Button>
      </Group>
    </>
  );
}

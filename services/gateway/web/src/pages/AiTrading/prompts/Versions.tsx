import { Badge, Modal } from "@mantine/core";
import { useState } from "react";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { Time } from "@/components/Values";
import * as f from "@/format";
import { hitRate } from "../overview/Performance";
import type { Version } from "../queries";
import { TERMS } from "../terms";
import { VersionDetail } from "./VersionDetail";

const COLUMNS: readonly Column<Version>[] = [
  { id: "version", header: "Version", tip: TERMS.version, width: "76px", cell: (one) => `@${one.version}`, sort: (one) => one.version },
  { id: "state", header: "State", width: "86px", tip: TERMS.activate, cell: (one) => (one.active ? <Badge color="green">Active</Badge> : f.NONE) },
  { id: "at", header: "Saved", width: "116px", cell: (one) => <Time at={one.created_at} />, sort: (one) => one.created_at },
  { id: "by", header: "By", tip: "Who wrote it.", width: "minmax(70px, 1fr)", cell: (one) => one.created_by || "Signalbox" },
  { id: "decisions", header: "Decisions", tip: TERMS.decision, width: "88px", right: true, cell: (one) => f.count(one.usage.decisions), sort: (one) => one.usage.decisions },
  { id: "valid", header: "Valid", width: "66px", right: true, tip: TERMS.validity, cell: (one) => f.share(one.usage.validity), sort: (one) => Number(one.usage.validity) },
  { id: "actions", header: "Buy / sell / hold", tip: "What was answered, how often.", width: "132px", right: true, cell: ({ usage }) => `${usage.buys} / ${usage.sells} / ${usage.holds}` },
  { id: "hits", header: "Hit rate", width: "136px", right: true, tip: TERMS.hitRate, cell: (one) => hitRate(one.scored), sort: (one) => Number(one.scored.hit_rate ?? -1) },
  { id: "each", header: "Per decision", tip: "Cost of one decision, refusals and failures too.", width: "102px", right: true, cell: (one) => f.cost(one.usage.cost_per_decision), sort: (one) => Number(one.usage.cost_per_decision) },
];

interface Props {
  versions: readonly Version[];
  active: Version | null;
  onEdit: (version: number) => void;
}

/** Every version, newest first; one opens with its words, its difference and its figures. */
export function Versions({ versions, active, onEdit }: Props) {
  const [opened, setOpened] = useState<number | null>(null);
  const one = versions.find((each) => each.version === opened);
  return (
    <>
      <SimpleTable label="Versions" rows={versions} columns={COLUMNS} idOf={(each) => String(each.version)} onOpen={(each) => setOpened(each.version)} rowLabel={(each) => `Version ${each.version}`} height={320} />
      <Modal opened={one !== undefined} onClose={() => setOpened(null)} title={one ? `Version ${one.version} of ${one.name}` : ""} size="xl">
        {one && (
          <VersionDetail
            version={one}
            versions={versions}
            active={active}
            onClose={() => setOpened(null)}
            onEdit={() => {
              setOpened(null);
              onEdit(one.version);
            }}
          />
        )}
      </Modal>
    </>
  );
}

import { Alert, Progress, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { FilterSelect } from "@/components/filters";
import { InfoTip } from "@/components/InfoTip";
import { Empty, Loaded } from "@/components/Loaded";
import { Change } from "@/components/Values";
import * as f from "@/format";
import { type Calibration, type JudgedBy, type Target, useCalibration } from "../queries";
import { TERMS } from "../terms";
import { hitRate } from "./Performance";
import { Reliability } from "./Reliability";

const BY: { value: JudgedBy; label: string }[] = [
  { value: "model", label: "Model" },
  { value: "prompt", label: "Prompt version" },
  { value: "symbol", label: "Symbol" },
  { value: "source", label: "Config" },
];

interface Props {
  target: Target | undefined;
  by: string | undefined;
  who: string | undefined;
  onBy: (by: string | null) => void;
  onWho: (who: string | null) => void;
}

/** Whether stated confidence comes true, for one model, prompt version, symbol or config. */
export function CalibrationPanel({ target, by, who, onBy, onWho }: Props) {
  const kind = BY.find((one) => one.value === by)?.value ?? "model";
  const query = useCalibration(kind, target);
  return (
    <Loaded query={query} height={300}>
      {({ items }) => {
        const one = items.find((each) => each.key === who) ?? items[0];
        return (
          <Stack gap="md">
            <div className="filters">
              <FilterSelect label="By" value={kind} onChange={onBy} data={BY} />
              <FilterSelect label="Which" value={one?.key} onChange={onWho} data={items.map((each) => each.key)} width={220} />
            </div>
            {one ? <Judged one={one} /> : <Empty height={220}>Nothing is scored yet. The lab looks at every buy and sell again once its horizon has passed.</Empty>}
          </Stack>
        );
      }}
    </Loaded>
  );
}

const term = (name: string, tip: string) => (
  <>
    {name} <InfoTip about={name}>{tip}</InfoTip>
  </>
);

function Judged({ one }: { one: Calibration }) {
  const enough = one.missing === 0;
  const known = Number(one.share.count);
  return (
    <div className="judged">
      <div>
        {enough ? (
          <Reliability bins={one.bins} label={one.key} />
        ) : (
          <Alert role="note" color="blue" variant="light" title={`${f.count(one.missing)} more scores until the confidence can be judged`}>
            <Text size="sm" mb="sm">With fewer than {f.count(known + one.missing)} a curve would show chance. Until then only counts are shown.</Text>
            <Progress value={(known / (known + one.missing)) * 100} aria-label={`${known} of ${known + one.missing} scores`} />
          </Alert>
        )}
      </div>
      <div className="figures">
        <Figure name="Hit rate" tip={TERMS.hitRate} value={hitRate(one.share)} />
        <Figure name="Base rate" tip={TERMS.baseRate} value={f.share(one.base_rate)} />
        <Figure name="Brier score" tip={TERMS.brier} value={one.brier === null ? f.NONE : Number(one.brier).toFixed(3)} />
        <Figure name="Skill" tip={TERMS.skill} value={one.brier_skill === null ? f.NONE : Number(one.brier_skill).toFixed(3)} />
        <Figure name="Mean confidence" tip={TERMS.confidence} value={f.share(one.mean_confidence)} />
        <Figure name="Mean error" tip="Mean distance between stated confidence and hit rate." value={f.share(one.expected_error)} />
        <Figure name="Mean return" tip={TERMS.meanReturn} value={<Change value={one.mean_return} percent />} />
        <Figure name="Scored" tip="Buys and sells whose horizon has passed, and how many were right." value={`${f.count(one.share.hits)} of ${f.count(one.share.count)} right`} />
      </div>
    </div>
  );
}

function Figure({ name, tip, value }: { name: string; tip: string; value: ReactNode }) {
  return (
    <div>
      <Text size="sm" c="dimmed" component="div">{term(name, tip)}</Text>
      <Text fw={600} className="number" component="div">{value}</Text>
    </div>
  );
}

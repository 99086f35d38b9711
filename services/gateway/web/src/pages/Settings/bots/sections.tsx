// The parts of a bot's form.

import { ActionIcon, Button, Group, Select, Stack, Switch, Table, Text, TextInput, Title } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Label, NumberField, SelectField, type Spec, SwitchField, TagsField, TextField } from "@/components/fields";
import { InfoTip } from "@/components/InfoTip";
import { SOURCE_CHOICES, SOURCE_TYPES, sourceType } from "@/format";
import { BUDGET, EXITS, LIFE, LIMIT_GROUPS, LIMITS, POLICY, PRIORITY, SIZED_BY, SIZING, THRESHOLD, TRUST } from "./specs";
import type { BotForm } from "./values";

const POLICIES = [
  { value: "priority", label: "Priority: the higher leads" },
  { value: "consensus", label: "Consensus: several must agree" },
  { value: "weighted", label: "Weighted: confidence times trust" },
  { value: "veto", label: "Veto: any opposite word blocks" },
];
const HOLDS = [
  { value: "abstain", label: "Says nothing" },
  { value: "block", label: "Blocks what is below it" },
];
const SIZES = [
  { value: "fixed_notional", label: "The same amount each time" },
  { value: "percent_of_equity", label: "A part of the equity" },
  { value: "volatility_target", label: "By how much the price moves" },
];

export function Section({ title, tip, children }: { title: string; tip?: string; children: ReactNode }) {
  return (
    <Stack gap="sm" component="section" aria-label={title}>
      <Group gap={4} className="section-head">
        <Title order={3}>{title}</Title>
        {tip && <InfoTip about={title}>{tip}</InfoTip>}
      </Group>
      {children}
    </Stack>
  );
}

export function SourcesSection({ form }: { form: BotForm }) {
  const [rules, setRules] = useState(form.getValues().sources);
  form.watch("sources", ({ value }) => setRules(value));
  return (
    <Section title="Sources" tip="Who it listens to. Without an id every source of the kind; a signal of a source that is switched off gets a verdict that says so.">
      {rules.map((rule, index) => (
        <Group key={form.key(`sources.${index}`)} gap="sm" align="flex-end" wrap="nowrap">
          <Select aria-label={`Kind of source ${index + 1}`} data={SOURCE_CHOICES} allowDeselect={false} w={150} flex="none" key={form.key(`sources.${index}.source_type`)} {...form.getInputProps(`sources.${index}.source_type`)} />
          <TextInput aria-label={`Id of source ${index + 1}`} placeholder="every one" className="grows" key={form.key(`sources.${index}.source_id`)} {...form.getInputProps(`sources.${index}.source_id`)} />
          <Switch aria-label={`Listen to source ${index + 1}`} mb={8} key={form.key(`sources.${index}.enabled`)} {...form.getInputProps(`sources.${index}.enabled`, { type: "checkbox" })} />
          <ActionIcon aria-label={`Remove ${rule.source_type} ${rule.source_id}`} mb={4} onClick={() => form.removeListItem("sources", index)}>
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {form.errors.sources && <Text size="sm" className="down">{form.errors.sources}</Text>}
      <Group>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => form.insertListItem("sources", { source_type: "llm", source_id: "", enabled: true })}
        >
          Add a source
        </Button>
      </Group>
    </Section>
  );
}

export function PolicySection({ form }: { form: BotForm }) {
  return (
    <Section title="Policy" tip="How the bot settles what its sources say.">
      <div className="fields">
        <SelectField form={form} path="policy.kind" label="Who wins" data={POLICIES} />
        <SelectField form={form} path="policy.hold" label="A hold from above" tip="What a hold of a higher source does to lower ones." data={HOLDS} />
        {(Object.keys(POLICY) as (keyof typeof POLICY)[]).map((name) => (
          <NumberField key={name} form={form} path={`policy.${name}`} spec={POLICY[name]} />
        ))}
      </div>
      <SwitchField form={form} path="policy.add_on_agreement" label="A lower source may add to what a higher one holds on the same side" />
      <PerSource form={form} columns={[["priorities", PRIORITY], ["thresholds", THRESHOLD], ["trust", TRUST], ["lives", LIFE]]} label="Priority, least confidence, trust and life of each kind of source" />
    </Section>
  );
}

type Group = "priorities" | "thresholds" | "trust" | "lives" | "budgets";

function PerSource({ form, columns, label }: { form: BotForm; columns: readonly (readonly [Group, Spec])[]; label: string }) {
  return (
    <Table.ScrollContainer minWidth={360}>
      <Table withRowBorders={false} verticalSpacing={4} aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Kind of source</Table.Th>
            {columns.map(([group, spec]) => (
              <Table.Th key={group}>
                <Label label={spec.unit ? `${spec.label}, ${spec.unit}` : spec.label} tip={spec.tip} />
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {SOURCE_TYPES.map((type) => (
            <Table.Tr key={type}>
              <Table.Td>{sourceType(type)}</Table.Td>
              {columns.map(([group, spec]) => (
                <Table.Td key={group}>
                  <TextInput
                    size="xs"
                    maw={140}
                    inputMode="decimal"
                    autoComplete="off"
                    aria-label={`${spec.label} of ${sourceType(type)}`}
                    placeholder={spec.none}
                    key={form.key(`${group}.${type}`)}
                    {...form.getInputProps(`${group}.${type}`)}
                  />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

export function SizingSection({ form }: { form: BotForm }) {
  const [kind, setKind] = useState(form.getValues().sizing.kind);
  form.watch("sizing.kind", ({ value }) => setKind(value));
  return (
    <Section title="Sizing" tip="How much an entry buys. The limits below cap it.">
      <div className="fields">
        <SelectField form={form} path="sizing.kind" label="Each entry is" data={SIZES} />
        {SIZED_BY[kind].map((name) => (
          <NumberField key={name} form={form} path={`sizing.${name}`} spec={SIZING[name]} />
        ))}
        {kind === "volatility_target" && (
          <TextField form={form} path="sizing.atr_interval" label="Bars" tip="Length of the bars that the range is taken of: 1m, 1h, 1d." />
        )}
        <TagsField
          form={form}
          path="increments"
          label="Steps of single symbols"
          tip="Where a symbol has a step of its own: BTC/USD 0.00001, then Enter."
          placeholder="BTC/USD 0.00001"
          splitChars={[","]}
        />
      </div>
    </Section>
  );
}

export function LimitsSection({ form }: { form: BotForm }) {
  return (
    <Section title="Limits" tip="The first limit that objects denies an entry, and the denial names it. Exits are never held back.">
      {LIMIT_GROUPS.map(([title, names]) => (
        <div key={title} role="group" aria-label={title}>
          <Text size="xs" fw={600} c="dimmed" mb={4}>{title}</Text>
          <div className="fields">
            {names.map((name) => (
              <NumberField key={name} form={form} path={`limits.${name}`} spec={LIMITS[name]} />
            ))}
          </div>
        </div>
      ))}
      <SwitchField form={form} path="wait_for_open" label="Entries wait for the market to open" description="Off: while it is closed they are denied." />
      <TagsField form={form} path="restricted" label="Never entered" tip="Symbols that are never bought or sold short, whoever says so." placeholder="none" />
      <PerSource form={form} columns={[["budgets", BUDGET]]} label="Budget of each kind of source" />
    </Section>
  );
}

export function ExitsSection({ form }: { form: BotForm }) {
  return (
    <Section title="Protective exits" tip="For lots whose signal names no stop or target itself. They work while the source is silent and under the kill switch.">
      <div className="fields">
        {(Object.keys(EXITS) as (keyof typeof EXITS)[]).map((name) => (
          <NumberField key={name} form={form} path={`exits.${name}`} spec={EXITS[name]} />
        ))}
      </div>
    </Section>
  );
}

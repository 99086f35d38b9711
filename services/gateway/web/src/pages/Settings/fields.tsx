// Number fields of forms: what they are called, what they mean, in which unit a person types.

import { Group, Text, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { ApiError } from "@/api/client";
import { InfoTip } from "@/components/InfoTip";
import { fromPercent, plain, toPercent } from "@/decimals";

type Unit = "$" | "%" | "s" | "";

export interface Spec {
  label: string;
  tip: string;
  unit?: Unit;
  /** May be left empty: null is sent, and means this. */
  none?: string;
}

type Given = string | number | null | undefined;

/** A value of the interface as it stands in its field. */
export function shownAs(spec: Spec, value: Given): string {
  if (value === null || value === undefined) return "";
  return spec.unit === "%" ? toPercent(String(value)) : String(value);
}

/** And back: null for an empty field that may be empty. */
export function sentAs(spec: Spec, text: string): string | null {
  const typed = plain(text);
  if (typed === "" && spec.none !== undefined) return null;
  return spec.unit === "%" ? fromPercent(typed) : typed;
}

/** What is wrong with a field before it is sent; null: nothing. */
export function wrong(spec: Spec, text: string): string | null {
  const typed = plain(text);
  if (typed === "") return spec.none === undefined ? "A number is needed." : null;
  return /^-?(\d+\.?\d*|\.\d+)$/.test(typed) ? null : "This is no number.";
}

interface LabelProps {
  label: string;
  tip?: string;
}

/** A label with its meaning behind a button of its own. */
export function Label({ label, tip }: LabelProps) {
  return (
    <Group gap={2} wrap="nowrap" component="span" display="inline-flex" py={2}>
      {label}
      {tip && <InfoTip about={label}>{tip}</InfoTip>}
    </Group>
  );
}

interface NumberProps<V extends Record<string, unknown>> {
  form: UseFormReturnType<V>;
  path: string;
  spec: Spec;
}

export function NumberField<V extends Record<string, unknown>>({ form, path, spec }: NumberProps<V>) {
  return (
    <TextInput
      label={<Label label={spec.label} tip={spec.tip} />}
      aria-label={spec.label}
      key={form.key(path)}
      inputMode="decimal"
      autoComplete="off"
      placeholder={spec.none}
      rightSection={spec.unit ? <Text size="sm" c="dimmed">{spec.unit}</Text> : undefined}
      rightSectionPointerEvents="none"
      {...form.getInputProps(path)}
    />
  );
}

/** What the gateway says about single fields, by their path in the form. */
export function fieldErrors(error: Error | null, rename: (field: string) => string = (field) => field): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(error.fields.map(({ field, message }) => [rename(field), sentenceOf(message)]));
}

const sentenceOf = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

// Fields of forms: what they are called, what they mean, in which unit a person types.

import { Group, Select, type SelectProps, Switch, type SwitchProps, TagsInput, type TagsInputProps, Text, TextInput, type TextInputProps } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { ApiError } from "@/api/client";
import { InfoTip } from "./InfoTip";
import { fromPercent, plain, toPercent } from "@/decimals";

type Unit = "$" | "%" | "bp" | "s" | "min"; // bp: hundredths of a per cent

export interface Spec {
  label: string;
  tip?: string;
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
    <Group gap={2} wrap="nowrap" component="span" display="inline-flex" mih={24}>
      {label}
      {tip && <InfoTip about={label}>{tip}</InfoTip>}
    </Group>
  );
}

const named = ({ label, tip }: LabelProps) => ({ label: <Label label={label} tip={tip} />, "aria-label": label });

/** A field of a form by its path; whatever else it takes comes after. */
type FieldProps<V, Props> = Omit<Props, "form" | "label"> & LabelProps & { form: UseFormReturnType<V>; path: string };

export function NumberField<V>({ form, path, spec, ...more }: Omit<FieldProps<V, TextInputProps>, "label"> & { spec: Spec }) {
  return (
    <TextInput
      {...named(spec)}
      inputMode="decimal"
      autoComplete="off"
      placeholder={spec.none}
      rightSection={spec.unit && <Text size="sm" c="dimmed">{spec.unit}</Text>}
      rightSectionPointerEvents="none"
      key={form.key(path)}
      {...form.getInputProps(path)}
      {...more}
    />
  );
}

export function TextField<V>({ form, path, label, tip, ...more }: FieldProps<V, TextInputProps>) {
  return <TextInput {...named({ label, tip })} key={form.key(path)} {...form.getInputProps(path)} {...more} />;
}

/** One of a few; none only where it is `clearable`. */
export function SelectField<V>({ form, path, label, tip, ...more }: FieldProps<V, SelectProps>) {
  return <Select {...named({ label, tip })} allowDeselect={false} key={form.key(path)} {...form.getInputProps(path)} {...more} />;
}

/** Several words, each ended by Enter, a comma or a space. */
export function TagsField<V>({ form, path, label, tip, ...more }: FieldProps<V, TagsInputProps>) {
  return <TagsInput {...named({ label, tip })} splitChars={[",", " "]} key={form.key(path)} {...form.getInputProps(path)} {...more} />;
}

export function SwitchField<V>({ form, path, label, ...more }: FieldProps<V, SwitchProps>) {
  return <Switch label={label} key={form.key(path)} {...form.getInputProps(path, { type: "checkbox" })} {...more} />;
}

/** What the gateway says about single fields, by their path in the form. */
export function fieldErrors(error: Error | null, rename: (field: string) => string = (field) => field): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(error.fields.map(({ field, message }) => [rename(field), sentenceOf(message)]));
}

const sentenceOf = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

import { Group, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import { useSearchParams } from "react-router";

const DEBOUNCE_MS = 300;

/** Those that have a value; JSON knows no undefined. */
const given = <Name extends string>(text: string) =>
  Object.fromEntries((JSON.parse(text) as [Name, string | null][]).filter(([, value]) => value)) as Partial<Record<Name, string>>;

/** Filters that live in the address: `const [filters, setFilter] = useFilters("symbol", "action")`. Empty ones are undefined. */
export function useFilters<Name extends string>(...names: Name[]) {
  const [params, setParams] = useSearchParams();
  const found = names.map((name) => [name, params.get(name) ?? undefined]);
  const text = JSON.stringify(found);
  const filters = useMemo(() => given<Name>(text), [text]);
  const setFilter = useCallback(
    (name: Name, value: string | null | undefined) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (value) after.set(name, value);
          else after.delete(name);
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [filters, setFilter] as const;
}

export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <Group gap="sm" role="search" aria-label="Filters" align="flex-end">
      {children}
    </Group>
  );
}

interface FieldProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | null) => void;
}

/** A text that is looked for a moment after the last key. */
export function FilterText({ label, value, onChange, width = 150 }: FieldProps & { width?: number }) {
  const [typed, setTyped] = useState(value ?? "");
  useEffect(() => setTyped(value ?? ""), [value]);
  const later = useDebouncedCallback((text: string) => onChange(text.trim() || null), DEBOUNCE_MS);
  return (
    <TextInput
      size="xs"
      w={width}
      label={label}
      value={typed}
      leftSection={<IconSearch size={14} aria-hidden />}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}

type Choice = string | { value: string; label: string };

export function FilterSelect({ label, value, onChange, data, width = 150 }: FieldProps & { data: readonly Choice[]; width?: number }) {
  return (
    <Select size="xs" w={width} label={label} value={value ?? null} onChange={onChange} data={[...data]} placeholder="All" clearable />
  );
}

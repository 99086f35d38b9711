import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconFilter, IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { useAddress } from "@/address";

const DEBOUNCE_MS = 300;
const DIALOGS = ["chain", "backtest", "compare"]; // what the address opens, and no filter

/** Filters that live in the address, of which Back knows nothing: `const [filters, setFilter] = useFilters("symbol", "action")`. */
export function useFilters<Name extends string>(...names: readonly Name[]) {
  const [filters, set] = useAddress(...names);
  const setFilter = (name: Name, value: string | null | undefined) => set({ [name]: value } as Partial<Record<Name, typeof value>>, { replace: true });
  return [filters, setFilter] as const;
}

/** On a phone folded away until it is wanted, or while one of them is set. */
export function FilterBar({ children }: { children: ReactNode }) {
  const [address] = useSearchParams();
  const isSet = [...address.keys()].some((name) => !DIALOGS.includes(name));
  const [opened, { toggle }] = useDisclosure(isSet);
  const shown = opened || isSet;
  return (
    <>
      {!isSet && (
        <Button hiddenFrom="sm" size="xs" variant="default" leftSection={<IconFilter size={14} aria-hidden />} aria-expanded={shown} onClick={toggle}>
          Filters
        </Button>
      )}
      <div className={shown ? "filters" : "filters folded"} role="search" aria-label="Filters">
        {children}
      </div>
    </>
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
  const sent = useRef(value); // what comes back is not what stands there by now
  useEffect(() => {
    if (value !== sent.current) setTyped(value ?? "");
    sent.current = value;
  }, [value]);
  const later = useDebouncedCallback((text: string) => {
    sent.current = text.trim() || undefined;
    onChange(text.trim() || null);
  }, DEBOUNCE_MS);
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

import { Group, List, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Facts } from "@/components/Facts";
import { InfoTip } from "@/components/InfoTip";
import * as f from "@/format";
import { TERMS } from "../terms";

type Json = unknown;
type Fields = Record<string, Json>;

const isFields = (value: Json): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const isEmpty = (value: Json): boolean => value === null || value === "" || (typeof value === "object" && Object.keys(value as object).length === 0);

const SHORT = new Set(["rsi", "macd", "atr", "adx"]);
const titleOf = (name: string): string => (SHORT.has(name) ? name.toUpperCase() : f.sentence(name));

/** A group with one value of its own name is that value. */
const lone = (name: string, value: Json): Json => (isFields(value) && Object.keys(value).length === 1 && name in value ? value[name] : value);

/** A value of the snapshot in words. */
export function inWords(value: Json): string {
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  if (isFields(value))
    return Object.entries(value)
      .filter(([, one]) => !isEmpty(one))
      .map(([name, one]) => `${f.words(name)} ${inWords(one)}`)
      .join(" · ");
  return String(value);
}

/** What was known of the market, group by group; what the answer cites is marked. */
export function Snapshot({ data, evidence }: { data: Fields; evidence: readonly string[] }) {
  const groups = Object.entries(data).filter(([, value]) => !isEmpty(value));
  if (groups.length === 0) return <Text size="sm" c="dimmed">Nothing was shown: the market could not be read.</Text>;
  const lists = groups.filter(([, value]) => Array.isArray(value));
  const facts = groups
    .filter(([, value]) => !Array.isArray(value))
    .map(([name, value]): [string, ReactNode] => [cited(name, evidence) ? `${titleOf(name)} ★` : titleOf(name), inWords(lone(name, value))]);
  return (
    <>
      <Facts items={facts} />
      {lists.map(([name, value]) => (
        <div key={name}>
          <Text size="xs" c="dimmed" mt="sm">{f.sentence(name)}, written by others</Text>
          <List size="sm">
            {(value as Json[]).map((one, index) => <List.Item key={index} className="plain">{inWords(one)}</List.Item>)}
          </List>
        </div>
      ))}
      {evidence.length > 0 && (
        <Group gap={4} mt="sm" wrap="nowrap" align="flex-start">
          <Text size="xs" c="dimmed">★ It rests on {evidence.join(", ")}</Text>
          <InfoTip about="Evidence">{TERMS.evidence}</InfoTip>
        </Group>
      )}
    </>
  );
}

const cited = (name: string, evidence: readonly string[]): boolean => evidence.some((id) => id.split(".").slice(1).includes(name));

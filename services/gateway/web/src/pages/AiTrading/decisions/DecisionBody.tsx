import { Accordion, Alert, List, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { Facts } from "@/components/Facts";
import { Time } from "@/components/Values";
import * as f from "@/format";
import { ADVICE, ERROR_ADVICE } from "../terms";
import { Attempts } from "./Attempts";
import { Plain } from "./Plain";
import { Snapshot } from "./Snapshot";

type Detail = Schemas["DecisionDetail"];

/** What the model said, what it was shown, and every call that was made for it. */
export function DecisionBody({ decision }: { decision: Detail }) {
  const advice = ERROR_ADVICE[decision.error_kind] ?? ADVICE[decision.outcome];
  return (
    <Stack gap="md">
      {decision.suspicious && (
        <Alert role="note" color="yellow" variant="light" title="Instructions in the data">
          The model saw an instruction inside what it was shown and reported it. Nothing is traded on this answer; look at the headlines below.
        </Alert>
      )}
      {decision.outcome !== "answered" && (
        <Alert role="note" color={decision.outcome === "over_budget" ? "yellow" : "red"} variant="light" title={f.sentence(decision.outcome)}>
          <Text size="sm" className="plain">{decision.explanation}</Text>
          {advice && <Text size="sm">{advice}</Text>}
        </Alert>
      )}
      {decision.reasoning && <Text size="sm" className="reasoning">{decision.reasoning}</Text>}
      <Facts items={factsOf(decision)} />
      {decision.notes.length > 0 && (
        <List size="sm" c="dimmed">
          {decision.notes.map((note) => <List.Item key={note}>{note}</List.Item>)}
        </List>
      )}
      <Accordion multiple defaultValue={["market"]} variant="contained">
        <Part value="market" title="What it was shown">
          <Snapshot data={decision.market_data} evidence={decision.evidence} />
        </Part>
        <Part value="prompt" title={`Prompt ${decision.prompt_version}, as it was sent`}>
          {decision.messages ? (
            <>
              <Plain label="System part">{decision.messages.system}</Plain>
              <Plain label="User part">{decision.messages.user}</Plain>
            </>
          ) : (
            <Text size="sm" c="dimmed">{decision.calls_problem ?? "Nothing was sent for this decision, or it was long ago and the words are not kept any more."}</Text>
          )}
        </Part>
        <Part value="calls" title={`Calls of the provider (${decision.calls?.length ?? decision.attempts})`}>
          <Attempts calls={decision.calls} problem={decision.calls_problem} />
        </Part>
      </Accordion>
    </Stack>
  );
}

function Part({ value, title, children }: { value: string; title: string; children: ReactNode }) {
  return (
    <Accordion.Item value={value}>
      <Accordion.Control>{title}</Accordion.Control>
      <Accordion.Panel>{children}</Accordion.Panel>
    </Accordion.Item>
  );
}

function factsOf(one: Detail): [string, ReactNode][] {
  const asked = one.asked_by ? `${f.words(one.trigger)} by ${one.asked_by}` : f.words(one.trigger);
  return [
    ["Confidence", one.confidence && f.share(one.confidence)],
    ["Horizon", one.horizon_s === null ? null : f.span(one.horizon_s)],
    ["Price it saw", one.price && f.price(one.price)],
    ["Stop", one.stop_price && f.price(one.stop_price)],
    ["Target price", one.target_price && f.price(one.target_price)],
    ["Would change its view", one.invalidation],
    ["Config", one.config_id],
    ["Model", one.served_model || one.model],
    ["Stood in for", one.fallback_for],
    ["Prompt", one.prompt_version],
    ["Asked by", asked],
    ["Market time", <Time key="at" at={one.at} />],
    ["Answered", <Time key="created" at={one.created_at} />],
    ["Took", f.took(one.latency_ms)],
    ["Cost", `${one.cost_is_estimated ? "≈ " : ""}${f.cost(one.cost_usd)}`],
    ["Tokens in", `${f.count(one.tokens_in)}${one.tokens_cached ? `, ${f.count(one.tokens_cached)} from the cache` : ""}`],
    ["Tokens out", `${f.count(one.tokens_out)}${one.tokens_reasoning ? `, ${f.count(one.tokens_reasoning)} of thinking` : ""}`],
    ["Answered from", one.cached ? "our own cache, at no cost" : null],
  ];
}

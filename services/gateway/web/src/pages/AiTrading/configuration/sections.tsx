// The fields of a config, in four groups.

import { Checkbox, Fieldset, NumberInput, SegmentedControl, Select, Switch, TagsInput, Text, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useBots } from "@/api/shared";
import { SecretInput } from "@/components/SecretInput";
import { type Config, useConfigs, usePrompts } from "../queries";
import { TERMS } from "../terms";
import type { Values } from "./form";
import { Label } from "./Label";

type Form = UseFormReturnType<Values>;
interface Props {
  form: Form;
  stored: Config | null;
}

export function ProviderFields({ form, stored }: Props) {
  const { provider, target, compatible } = form.getValues();
  const own = provider === "openai" && target === "real";
  return (
    <Fieldset legend="Provider">
      <div className="fields">
        <TextInput label="Name" placeholder="Large caps, by the minute" {...form.getInputProps("name")} data-autofocus />
        <div>
          <Text size="sm" fw={500} mb={4}>Provider</Text>
          <SegmentedControl fullWidth aria-label="Provider" data={[{ value: "openai", label: "OpenAI" }, { value: "claude", label: "Anthropic" }]} {...form.getInputProps("provider")} />
        </div>
        <div>
          <Text size="sm" fw={500} mb={4}>Target</Text>
          <SegmentedControl fullWidth aria-label="Target" data={[{ value: "real", label: "Real" }, { value: "sandbox", label: "Sandbox" }]} {...form.getInputProps("target")} />
          <Text size="xs" c="dimmed" mt={4}>
            {target === "sandbox" ? "A small rule plays the provider; its key is sandbox-key. No answer is a model's." : "Calls go to the provider and cost money."}
          </Text>
        </div>
        <SecretInput label="API key" hint={stored?.api_key_hint ? `…${stored.api_key_hint}` : null} {...form.getInputProps("api_key")} />
        <TextInput label="Model" description="As the provider names it. Names come and go: check it after saving." placeholder={provider === "claude" ? "claude-…" : "gpt-…"} {...form.getInputProps("model")} />
        {own && (
          <div>
            <Checkbox mt={26} label="A server of your own that speaks OpenAI's form, such as Ollama or vLLM" {...form.getInputProps("compatible", { type: "checkbox" })} />
          </div>
        )}
        {own && compatible && <TextInput label="Address" description="It ends in /v1. Anything but this machine must be https." placeholder="http://127.0.0.1:11434/v1" {...form.getInputProps("base_url")} />}
      </div>
      <Switch mt="md" label="Active: ask it as the triggers say" {...form.getInputProps("is_active", { type: "checkbox" })} />
    </Fieldset>
  );
}

export function AnswerFields({ form, stored }: Props) {
  const prompts = usePrompts().data?.items ?? [];
  const { model, provider } = form.getValues();
  const known = stored !== null && stored.model === model.trim() && stored.provider === provider;
  const out = known ? stored.left_out : [];
  const unsure = known ? "" : " Save and check to learn whether the model takes it.";
  return (
    <Fieldset legend="Question and answer">
      <div className="fields">
        <Select label="Prompt" description="Its active version is used." data={prompts.map((one) => ({ value: one.id, label: `${one.name}, version ${one.active_version}` }))} allowDeselect={false} {...form.getInputProps("prompt_template")} />
        <NumberInput label={<Label name="Longest answer, tokens" tip={TERMS.maxTokens} />} aria-label="Longest answer, tokens" min={256} max={16000} step={250} allowDecimal={false} {...form.getInputProps("max_tokens")} />
        <NumberInput
          label={<Label name="Temperature" tip={TERMS.temperature} />}
          aria-label="Temperature"
          description={out.includes("temperature") ? `${model} takes no temperature: it is not sent.` : `Empty leaves it to the model.${unsure}`}
          disabled={out.includes("temperature")}
          min={0}
          max={2}
          step={0.1}
          decimalScale={2}
          placeholder="The model's own"
          {...form.getInputProps("temperature")}
        />
        <Select
          label={<Label name="Effort" tip={TERMS.effort} />}
          aria-label="Effort"
          description={out.includes("effort") ? `${model} takes no effort: it is not sent.` : `Empty leaves it to the model.${unsure}`}
          disabled={out.includes("effort")}
          data={["none", "low", "medium", "high"]}
          placeholder="The model's own"
          clearable
          {...form.getInputProps("effort")}
          value={form.getValues().effort || null}
          onChange={(value) => form.setFieldValue("effort", value ?? "")}
        />
      </div>
    </Fieldset>
  );
}

export function TriggerFields({ form, stored }: Props) {
  const bots = useBots().data?.items ?? [];
  const others = (useConfigs().data?.items ?? []).filter((one) => one.id !== stored?.id);
  const number = (name: keyof Values, label: string, tip: string, more: object = {}) => (
    <NumberInput label={<Label name={label} tip={tip} />} aria-label={label} min={0} allowDecimal={false} {...more} {...form.getInputProps(name)} />
  );
  const select = (name: "fallback" | "bot", label: string, tip: string, data: { value: string; label: string }[]) => (
    <Select label={<Label name={label} tip={tip} />} aria-label={label} data={data} placeholder="None" clearable {...form.getInputProps(name)} value={form.getValues()[name] || null} onChange={(value) => form.setFieldValue(name, value ?? "")} />
  );
  return (
    <Fieldset legend="When it is asked, and about what">
      <TagsInput label="Symbols" description="Type one and press Enter. Market-data must have bars of it." mb="md" splitChars={[",", " "]} maxTags={50} {...form.getInputProps("symbols")} />
      <div className="fields">
        <TextInput label="Bars of" description="Such as 1m, 15m, 1h, 1d." {...form.getInputProps("interval")} />
        {number("every", "After so many bars", `${TERMS.every} Empty switches the schedule off.`, { min: 1, placeholder: "No schedule", description: "Empty: no schedule." })}
        {number("move", "When the price moves, %", TERMS.move, { allowDecimal: true, step: 0.5, placeholder: "Never", description: "Empty: moves do not matter." })}
        {number("min_gap_s", "Never sooner than, s", TERMS.minGap)}
        {number("symbols_per_call", "Symbols in one call", TERMS.perCall, { min: 1, max: 10 })}
        {number("horizon_s", "Longest horizon, s", TERMS.horizon, { min: 60 })}
        {number("deadline_s", "Deadline, s", TERMS.deadline, { min: 5, max: 600 })}
        {number("cache_s", "Same question answered from memory for, s", TERMS.cache)}
        {select("fallback", "Fallback", TERMS.fallback, others.map((one) => ({ value: one.id, label: one.name })))}
        {select("bot", "Shows positions of", TERMS.bot, bots.map((one) => ({ value: one.id, label: one.name })))}
      </div>
      <Checkbox mt="md" label="Show it what other sources say" description={TERMS.showSignals} {...form.getInputProps("show_signals", { type: "checkbox" })} />
    </Fieldset>
  );
}

export function BudgetFields({ form }: { form: Form }) {
  const dollars = (name: keyof Values, label: string, more: object = {}) => (
    <NumberInput label={label} min={0} decimalScale={6} prefix="$" {...more} {...form.getInputProps(name)} />
  );
  return (
    <Fieldset legend="Budget and price">
      <div className="fields">
        {dollars("day_usd", "A day", { placeholder: "No limit" })}
        {dollars("month_usd", "A month", { placeholder: "No limit" })}
        {dollars("input_usd", "Own price, a million tokens in", { placeholder: "From the table" })}
        {dollars("output_usd", "Own price, a million tokens out", { placeholder: "From the table" })}
      </div>
      <Text size="xs" c="dimmed" mt="sm">
        Days and months are of wall time, UTC. 0 allows no call, empty sets no limit. {TERMS.price} {TERMS.reserved}
      </Text>
    </Fieldset>
  );
}

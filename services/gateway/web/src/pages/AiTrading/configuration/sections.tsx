// The fields of a config, in four groups.

import { Checkbox, Fieldset, SegmentedControl, Text } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useBots } from "@/api/shared";
import { NumberField, SelectField, SwitchField, TagsField, TextField } from "@/components/fields";
import { SecretInput } from "@/components/SecretInput";
import { type Config, useConfigs, usePrompts } from "../queries";
import { TERMS } from "../terms";
import { NUMBERS, type Values } from "./form";

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
        <TextField form={form} path="name" label="Name" placeholder="Large caps, by the minute" data-autofocus />
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
        <TextField form={form} path="model" label="Model" description="As the provider names it. Names come and go: check it after saving." placeholder={provider === "claude" ? "claude-…" : "gpt-…"} />
        {own && (
          <div>
            <Checkbox mt={26} label="A server of your own that speaks OpenAI's form, such as Ollama or vLLM" {...form.getInputProps("compatible", { type: "checkbox" })} />
          </div>
        )}
        {own && compatible && <TextField form={form} path="base_url" label="Address" description="It ends in /v1. Anything but this machine must be https." placeholder="http://127.0.0.1:11434/v1" />}
      </div>
      <SwitchField form={form} path="is_active" label="Active: ask it as the triggers say" mt="md" />
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
        <SelectField form={form} path="prompt_template" label="Prompt" tip="Its active version is used." data={prompts.map((one) => ({ value: one.id, label: `${one.name}, version ${one.active_version}` }))} />
        <NumberField form={form} path="max_tokens" spec={NUMBERS.max_tokens} />
        <NumberField
          form={form}
          path="temperature"
          spec={NUMBERS.temperature}
          description={out.includes("temperature") ? `${model} takes no temperature: it is not sent.` : `Empty leaves it to the model.${unsure}`}
          disabled={out.includes("temperature")}
        />
        <SelectField
          form={form}
          path="effort"
          label="Effort"
          tip={TERMS.effort}
          description={out.includes("effort") ? `${model} takes no effort: it is not sent.` : `Empty leaves it to the model.${unsure}`}
          disabled={out.includes("effort")}
          data={["none", "low", "medium", "high"]}
          placeholder="The model's own"
          clearable
        />
      </div>
    </Fieldset>
  );
}

const TRIGGERS = ["every", "move", "min_gap_s", "symbols_per_call", "horizon_s", "deadline_s", "cache_s"] as const;

export function TriggerFields({ form, stored }: Props) {
  const bots = useBots().data?.items ?? [];
  const others = (useConfigs().data?.items ?? []).filter((one) => one.id !== stored?.id);
  const named = (list: readonly { id: string; name: string }[]) => list.map((one) => ({ value: one.id, label: one.name }));
  return (
    <Fieldset legend="When it is asked, and about what">
      <TagsField form={form} path="symbols" label="Symbols" description="Type one and press Enter. Market-data must have bars of it." mb="md" maxTags={50} />
      <div className="fields">
        <TextField form={form} path="interval" label="Bars of" tip="Such as 1m, 15m, 1h, 1d." />
        {TRIGGERS.map((name) => <NumberField key={name} form={form} path={name} spec={NUMBERS[name]} />)}
        <SelectField form={form} path="fallback" label="Fallback" tip={TERMS.fallback} data={named(others)} placeholder="None" clearable />
        <SelectField form={form} path="bot" label="Shows positions of" tip={TERMS.bot} data={named(bots)} placeholder="None" clearable />
      </div>
      <Checkbox mt="md" label="Show it what other sources say" description={TERMS.showSignals} {...form.getInputProps("show_signals", { type: "checkbox" })} />
    </Fieldset>
  );
}

const MONEY = ["day_usd", "month_usd", "input_usd", "output_usd"] as const;

export function BudgetFields({ form }: { form: Form }) {
  return (
    <Fieldset legend="Budget and price">
      <div className="fields">
        {MONEY.map((name) => <NumberField key={name} form={form} path={name} spec={NUMBERS[name]} />)}
      </div>
      <Text size="xs" c="dimmed" mt="sm">
        Days and months are of wall time, UTC. 0 allows no call, empty sets no limit. {TERMS.price} {TERMS.reserved}
      </Text>
    </Fieldset>
  );
}

import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError, api, must, type Schemas } from "@/api/client";
import { useAccounts, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { fieldErrors, SelectField, SwitchField, TagsField, TextField } from "@/components/fields";
import { useClosing } from "@/components/FormDialog";
import { Problem } from "@/components/Loaded";
import { told } from "@/components/toasts";
import { ExitsSection, LimitsSection, PolicySection, SizingSection, SourcesSection } from "./sections";
import { type Bot, type BotBody, type BotForm as Form, type BotValues, changesOf, formPath, newBody, problemsOf, valuesOf } from "./values";

const LIVE_WORD = "LIVE";
const APPROVALS = [
  { value: "auto", label: "Trades by itself" },
  { value: "manual", label: "Asks a person first" },
];
const LISTENS = [
  { value: "hybrid", label: "Every kind of source" },
  { value: "quantconnect", label: "QuantConnect only" },
  { value: "llm", label: "AI only" },
  { value: "traditional", label: "Classic strategies only" },
];

interface Props {
  /** What to begin with; of a new bot the defaults. */
  bot: Bot;
  isNew: boolean;
  onDone: () => void;
}

/** One bot, whole: who it listens to, how it decides, what it may do. */
export function BotForm({ bot, isNew, onDone }: Props) {
  const [initial] = useState(() => valuesOf(bot));
  const form: Form = useForm<BotValues>({ mode: "uncontrolled", initialValues: initial, validate: problemsOf });
  const [asking, setAsking] = useState(false);
  const accounts = useAccounts().data?.items;
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: (body: BotBody) => must(api.POST("/api/bots", { body })),
    onSuccess: async (saved) => {
      told(isNew ? `Bot ${saved.id} is there; it hears the next signal.` : `Bot ${saved.id} is changed from the next signal on.`);
      await refresh("bots", "accounts");
      onDone();
    },
    onError: (error) => form.setErrors(fieldErrors(error, formPath)),
  });
  useClosing(() => (save.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  /** What the form shows: without the switch, which a paper account has not, nothing trades real money. */
  const given = (): BotValues => {
    const values = form.getValues();
    return { ...values, live: values.live && modeOf(values.account, accounts) !== "paper" };
  };
  const send = async () => {
    const values = given();
    await save.mutateAsync(isNew ? newBody(values) : changesOf(initial, values)).catch(() => undefined);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.validate().hasErrors) return;
    if (given().live && !initial.live) setAsking(true);
    else void send();
  };
  const wrong = Object.keys(form.errors).length;
  return (
    <>
      <form onSubmit={submit} noValidate>
        <Stack gap="lg">
          <General form={form} isNew={isNew} accounts={accounts} />
          <SourcesSection form={form} />
          <PolicySection form={form} />
          <SizingSection form={form} />
          <LimitsSection form={form} />
          <ExitsSection form={form} />
          {save.error && <Problem error={summary(save.error)} what="The bot is not saved" />}
          {!save.error && wrong > 0 && (
            <Text size="sm" className="down" role="alert">
              {wrong === 1 ? "One field needs" : `${wrong} fields need`} another value before this can be saved.
            </Text>
          )}
          <Group justify="flex-end" gap="sm" className="form-foot">
            <Button variant="default" onClick={onDone} disabled={save.isPending}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              {isNew ? "Create the bot" : "Save"}
            </Button>
          </Group>
        </Stack>
      </form>
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title="Let this bot trade real money?" confirm="Switch on" danger word={LIVE_WORD} act={send}>
        If its account and the executor say so too, its next order is a real one. Limits and the kill switch stay as they are.
      </ConfirmDialog>
    </>
  );
}

/** With the fields marked, the long list of their names is of no use. */
function summary(error: Error): Error {
  if (!(error instanceof ApiError) || error.fields.length === 0) return error;
  return new ApiError(error.status, error.message, { advice: "The fields are marked above.", correlation_id: error.requestId ?? undefined });
}

type Accounts = readonly Schemas["AccountView"][] | undefined;

/** Of no account: a paper account is made. Undefined: not read yet. */
const modeOf = (account: string, accounts: Accounts): string | undefined => (account ? accounts?.find((one) => one.id === account)?.mode : "paper");

function General({ form, isNew, accounts }: { form: Form; isNew: boolean; accounts: Accounts }) {
  const own = form.getValues().account;
  const free = accounts?.filter((account) => !account.bot || account.id === own) ?? [];
  const choices = free.map((account) => ({ value: account.id, label: `${account.name} (${account.mode === "live" ? "real money" : account.broker})` }));
  const [account, setAccount] = useState(own);
  form.watch("account", ({ value }) => setAccount(value));
  return (
    <Stack gap="md">
      <div className="fields">
        <TextField form={form} path="name" label="Name" required />
        {isNew && <TextField form={form} path="id" label="Id" placeholder="made from the name" />}
        <SelectField
          form={form}
          path="account"
          label="Account"
          tip="Where its orders go. An account belongs to one bot. Lots stay on the account they were bought on."
          data={choices}
          placeholder="A paper account of its own"
          clearable={isNew}
        />
        <SelectField form={form} path="approval" label="Approval" tip="Whether an accepted signal waits for a person until it expires." data={APPROVALS} />
        <SelectField form={form} path="strategy_source" label="Listens to" tip="The kind of source that this bot may follow, whatever the list below says." data={LISTENS} />
        <TagsField form={form} path="symbols" label="Symbols" tip="What it may trade. Empty: every symbol." placeholder="every symbol" />
      </div>
      <Group gap="lg">
        <SwitchField form={form} path="enabled" label="Switched on" />
        <SwitchField form={form} path="allow_short" label="May sell short" />
        <SwitchField form={form} path="flatten_lower" label="A higher source's sell closes lower sources' lots too" />
        {modeOf(account, accounts) === "live" && <SwitchField form={form} path="live" label="May trade real money" color="red.9" />}
      </Group>
    </Stack>
  );
}

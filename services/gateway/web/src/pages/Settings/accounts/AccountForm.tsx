import { Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { useRefresh } from "@/api/shared";
import { changes } from "@/changes";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { fieldErrors, NumberField, SelectField, type Spec, SwitchField, sentAs, shownAs, TextField, wrong } from "@/components/fields";
import { useClosing } from "@/components/FormDialog";
import { Problem } from "@/components/Loaded";
import { SecretInput } from "@/components/SecretInput";
import { told } from "@/components/toasts";

type Account = Schemas["AccountView"];
type Body = Schemas["AccountBody"];
type Paper = Required<Schemas["PaperSettings"]>;

const PAPER: Record<keyof Paper, Spec> = {
  starting_cash: { label: "Starts with", unit: "$", tip: "Cash at the beginning." },
  slippage_bps: { label: "Slippage", unit: "bp", tip: "Hundredths of a per cent that a fill is worse than the quote." },
  impact_bps: { label: "Impact", unit: "bp", tip: "The same, times the square root of the order's size over the bar's volume." },
  max_participation: { label: "Participation", unit: "%", tip: "Most of a bar's volume that one fill takes." },
  fee_bps: { label: "Fee", unit: "bp", tip: "Hundredths of a per cent of what is traded; of a crypto pair it is taken from what the fill brings.", none: "shares 0, crypto 25" },
  fee_per_share: { label: "Fee of a share", unit: "$", tip: "For each share traded; pairs have none." },
};
const DEFAULTS: Paper = { starting_cash: "100000", slippage_bps: "1", impact_bps: "10", max_participation: "0.1", fee_bps: null, fee_per_share: "0" };
const CRYPTO: Spec = { label: "Crypto fee", unit: "bp", tip: "Hundredths of a per cent that the broker takes from what a crypto fill brings." };
const BROKERS = [
  { value: "paper", label: "Paper, simulated here" },
  { value: "alpaca", label: "Alpaca" },
];
const LIVE_WORD = "LIVE";

interface Values extends Record<string, unknown> {
  name: string;
  broker: "paper" | "alpaca";
  mode: "paper" | "live";
  target: "real" | "sandbox";
  paper: Record<keyof Paper, string>;
  crypto_fee_bps: string;
  stops_at_broker: boolean;
  api_key: string;
  api_secret: string;
}

const papers = (given: Schemas["PaperSettings"]): Record<keyof Paper, string> =>
  Object.fromEntries((Object.keys(PAPER) as (keyof Paper)[]).map((name) => [name, shownAs(PAPER[name], given[name])])) as Record<keyof Paper, string>;

const valuesOf = (account: Account | undefined): Values => ({
  name: account?.name ?? "",
  broker: account?.broker === "alpaca" ? "alpaca" : "paper",
  mode: "paper",
  target: "real",
  paper: papers(account?.paper ?? DEFAULTS),
  crypto_fee_bps: account?.crypto_fee_bps ?? "25",
  stops_at_broker: account?.stops_at_broker ?? true,
  api_key: "",
  api_secret: "",
});

function settings(values: Values): Body {
  const name = values.name.trim();
  if (values.broker === "alpaca") return { name, crypto_fee_bps: sentAs(CRYPTO, values.crypto_fee_bps), stops_at_broker: values.stops_at_broker };
  const paper = (Object.keys(PAPER) as (keyof Paper)[]).map((each) => [each, sentAs(PAPER[each], values.paper[each])]);
  return { name, paper: Object.fromEntries(paper) as Schemas["StrictPaper"] };
}

/** What is sent: all of a new account; of a stored one what was changed. Keys that were not typed are left out: the stored ones stay. */
function accountBody(values: Values, initial: Values, id: string | undefined): Body {
  const keys = values.api_key || values.api_secret ? { api_key: values.api_key, api_secret: values.api_secret } : {};
  if (id) return { id, ...changes(settings(initial), settings(values), "paper"), ...keys };
  const where = values.broker === "alpaca" ? { mode: values.mode, target: values.target } : {};
  return { broker: values.broker, ...where, ...settings(values), ...keys };
}

function problemsOf(values: Values, account: Account | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  if (!values.name.trim()) found.name = "An account needs a name.";
  if (values.broker === "paper") {
    for (const name of Object.keys(PAPER) as (keyof Paper)[]) {
      const message = wrong(PAPER[name], values.paper[name]);
      if (message) found[`paper.${name}`] = message;
    }
    return found;
  }
  const fee = wrong(CRYPTO, values.crypto_fee_bps);
  if (fee) found.crypto_fee_bps = fee;
  const needed = !account || values.api_key || values.api_secret;
  if (needed && !values.api_key) found.api_key = "The key is needed.";
  if (needed && !values.api_secret) found.api_secret = "The secret is needed; both belong together.";
  return found;
}

export function AccountForm({ account, onDone }: { account: Account | undefined; onDone: () => void }) {
  const [initial] = useState(() => valuesOf(account));
  const form = useForm<Values>({ mode: "uncontrolled", initialValues: initial, validate: (values) => problemsOf(values, account) });
  const [broker, setBroker] = useState(form.getValues().broker);
  form.watch("broker", ({ value }) => setBroker(value));
  const [asking, setAsking] = useState(false);
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: (values: Values) => must(api.POST("/api/accounts", { body: accountBody(values, initial, account?.id) })),
    onSuccess: async (saved) => {
      form.setFieldValue("api_key", "");
      form.setFieldValue("api_secret", "");
      told(account ? `Account ${saved.id} is saved.` : `Account ${saved.id} is there; give it to a bot to use it.`);
      await refresh("accounts");
      onDone();
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  useClosing(() => (save.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  const send = async () => {
    await save.mutateAsync(form.getValues()).catch(() => undefined);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.validate().hasErrors) return;
    const { broker: at, mode } = form.getValues();
    if (!account && at === "alpaca" && mode === "live") setAsking(true);
    else void send();
  };
  return (
    <>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <div className="fields">
            <TextField form={form} path="name" label="Name" required />
            <SelectField form={form} path="broker" label="Broker" data={BROKERS} disabled={account !== undefined} />
          </div>
          {broker === "paper" ? (
            <div className="fields">
              {(Object.keys(PAPER) as (keyof Paper)[]).map((name) => (
                <NumberField key={name} form={form} path={`paper.${name}`} spec={PAPER[name]} />
              ))}
            </div>
          ) : (
            <>
              {!account && (
                <div className="fields">
                  <Radio.Group label="Money" description="It cannot be changed afterwards." key={form.key("mode")} {...form.getInputProps("mode")}>
                    <Stack gap="sm" mt="sm">
                      <Radio value="paper" label="Alpaca's paper account" />
                      <Radio value="live" label="Real money" />
                    </Stack>
                  </Radio.Group>
                  <Radio.Group label="Provider" description="Keys go only where they were entered for." key={form.key("target")} {...form.getInputProps("target")}>
                    <Stack gap="sm" mt="sm">
                      <Radio value="real" label="Alpaca itself" />
                      <Radio value="sandbox" label="The sandbox of this system" />
                    </Stack>
                  </Radio.Group>
                </div>
              )}
              <div className="fields">
                <SecretInput label="API key" hint={account?.key_hint} key={form.key("api_key")} {...form.getInputProps("api_key")} />
                <SecretInput label="API secret" hint={account ? "…" : null} description={account ? "Leave both empty to keep the stored ones." : undefined} key={form.key("api_secret")} {...form.getInputProps("api_secret")} />
                <NumberField form={form} path="crypto_fee_bps" spec={CRYPTO} />
              </div>
              <SwitchField form={form} path="stops_at_broker" label="Stops of whole shares rest at the broker" description="They fire there while nothing runs here. Off: this system watches them itself." />
              <Text size="sm" c="dimmed">
                Keys are sealed to the executor as soon as they arrive. Nobody else can open them, and no page ever shows them again.
              </Text>
            </>
          )}
          {save.error && <Problem error={save.error} what="The account is not saved" />}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onDone} disabled={save.isPending}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              {account ? "Save" : "Add the account"}
            </Button>
          </Group>
        </Stack>
      </form>
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title="Add an account with real money?" confirm="Add it" danger word={LIVE_WORD} act={send}>
        This is the first of three switches. Nothing is traded on it until a bot uses it and says so, and the executor was started with leave to.
      </ConfirmDialog>
    </>
  );
}

import { Alert, Button, Group, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, must } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { fieldErrors } from "@/components/fields";
import { useClosing } from "@/components/FormDialog";
import { Problem } from "@/components/Loaded";
import { told } from "@/components/toasts";
import type { Config } from "../queries";
import { Checked, useCheck } from "./Check";
import { fieldOf, NEW, problemsOf, sentOf, type Values, valuesOf } from "./form";
import { AnswerFields, BudgetFields, ProviderFields, TriggerFields } from "./sections";

interface Props {
  stored: Config | null;
  onClose: () => void;
  onSaved: (id: string) => void;
}

/** Adds a config or changes one. What is typed as a key is sent once and never comes back. */
export function ConfigForm({ stored, onClose, onSaved }: Props) {
  const [began, begin] = useState(stored); // as it was when the form opened: what others change meanwhile stays
  const may = useMay("admin");
  const refresh = useRefresh();
  const form = useForm<Values>({
    initialValues: began ? valuesOf(began) : NEW,
    validate: (values) => problemsOf(values, began),
  });
  const [then, setThen] = useState<"close" | "check">("close");
  const check = useCheck(stored?.id ?? "");
  const save = useMutation({
    mutationFn: (values: Values) => must(api.POST("/api/ai-trading/config", { body: sentOf(values, began) })),
    onSuccess: async (saved) => {
      const values = valuesOf(saved); // the key leaves the page
      form.setValues(values);
      form.resetDirty(values);
      if (began) begin(saved);
      told(stored ? `${saved.name} is changed.` : `${saved.name} is added.`);
      await refresh("llm-config", "llm-status", "llm-budgets");
      if (then === "close") onClose();
      else if (stored) {
        save.reset(); // and the key that was sent is forgotten
        check.mutate();
      } else onSaved(saved.id);
    },
    onError: (error) => form.setErrors(fieldErrors(error, fieldOf)),
  });
  useClosing(() => (save.isPending || check.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} aria-label="Language model" noValidate>
      <Stack gap="lg">
        <fieldset className="plain-set" disabled={!may}>
          <Stack gap="lg">
            <ProviderFields form={form} stored={stored} />
            <AnswerFields form={form} stored={stored} />
            <TriggerFields form={form} stored={stored} />
            <BudgetFields form={form} />
          </Stack>
        </fieldset>
        <Stack gap="sm" className="form-foot">
          {save.error && <Problem error={save.error} what="It was not saved" />}
          {check.error && <Problem error={check.error} what="It could not be checked" retry={() => check.mutate()} />}
          {check.data && <Checked found={check.data} />}
          {!may && <Alert role="note" color="blue" variant="light">Only an admin may change this.</Alert>}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onClose} disabled={save.isPending}>Cancel</Button>
            {stored && (
              <Button type="submit" variant="default" loading={check.isPending || (save.isPending && then === "check")} disabled={!may} onClick={() => setThen("check")}>
                Save and check key and model
              </Button>
            )}
            <Button type="submit" loading={save.isPending && then === "close"} disabled={!may} onClick={() => setThen("close")}>
              {stored ? "Save" : "Add"}
            </Button>
          </Group>
        </Stack>
      </Stack>
    </form>
  );
}

// What the form of an account holds, and what is sent of it.

import type { Schemas } from "@/api/client";
import { changes } from "@/changes";
import { sentAs, shownAs, type Spec } from "@/components/fields";
import { plain } from "@/decimals";
import type { Config } from "../queries";

export const CONFIDENCE: Spec = { label: "Default confidence", unit: "%" };
export const AGE: Spec = { label: "Oldest signal", unit: "min" };

export interface Given {
  name: string;
  api_key: string;
  api_secret: string;
  target: "real" | "sandbox";
  algorithm: string | null; // a project's number; null: all that run live
  signals_from: "insights" | "fills";
  confidence_percent: string;
  max_age_minutes: string;
  is_active: boolean;
}

export const EMPTY: Given = {
  name: "",
  api_key: "",
  api_secret: "",
  target: "real",
  algorithm: null,
  signals_from: "insights",
  confidence_percent: "50",
  max_age_minutes: "20",
  is_active: true,
};

export const given = (config: Config): Given => ({
  ...EMPTY,
  name: config.name,
  target: config.target === "sandbox" ? "sandbox" : "real",
  algorithm: config.algorithm_id === null ? null : String(config.algorithm_id),
  signals_from: config.signals_from === "fills" ? "fills" : "insights",
  confidence_percent: shownAs(CONFIDENCE, config.default_confidence),
  max_age_minutes: shownAs(AGE, config.max_age_s / 60),
  is_active: config.is_active,
});

type Body = Schemas["ConnectionBody"];

const settings = (values: Given): Body => ({
  name: values.name.trim(),
  target: values.target,
  algorithm_id: values.algorithm ? Number(values.algorithm) : null,
  signals_from: values.signals_from,
  default_confidence: sentAs(CONFIDENCE, values.confidence_percent),
  max_age_s: Math.round(Number(sentAs(AGE, values.max_age_minutes)) * 60),
  is_active: values.is_active,
});

/** What is sent: all of a new account; of one as it was when the form opened what was changed. Empty keys are not sent: what is stored stays. */
export function body(values: Given, before: Config | null, nameOf: (algorithm: string) => string): Body {
  const sent = before ? changes(settings(given(before)), settings(values)) : settings(values);
  return {
    ...(before && { id: before.id }),
    ...(values.api_key.trim() && { api_key: values.api_key.trim() }),
    ...(values.api_secret.trim() && { api_secret: values.api_secret.trim() }),
    ...sent,
    ...("algorithm_id" in sent && { algorithm_name: values.algorithm ? nameOf(values.algorithm) : "" }),
  };
}

/** What must be there before anything is sent. `before`: what is stored, if anything is. */
export function problems(values: Given, before: Config | null): Partial<Record<keyof Given, string>> {
  const found: Partial<Record<keyof Given, string>> = {};
  if (!values.name.trim()) found.name = "Give it a name that you will know it by.";
  if (!before && !values.api_key.trim()) found.api_key = "The user id stands on quantconnect.com under Account, Security.";
  const other = before && (values.api_key.trim() !== "" || values.target !== before.target);
  if (!values.api_secret.trim() && (!before || other))
    found.api_secret = before ? "Another user id or target needs its token too." : "Request one on quantconnect.com under Account, Security.";
  const [confidence, age] = [plain(values.confidence_percent), Number(plain(values.max_age_minutes))];
  if (confidence === "" || !(Number(confidence) >= 0 && Number(confidence) <= 100)) found.confidence_percent = "Between 0 and 100.";
  if (!(age > 0 && age <= 7 * 24 * 60)) found.max_age_minutes = "Between a minute and seven days.";
  return found;
}

const FIELDS: Record<string, keyof Given> = {
  algorithm_id: "algorithm",
  default_confidence: "confidence_percent",
  max_age_s: "max_age_minutes",
};

/** The form's field that a problem of the interface is about. */
export function fieldOf(path: string): string {
  const name = path.split(".").at(-1) ?? path;
  return FIELDS[name] ?? name;
}

// What the words of this page mean, for tooltips.

import { count } from "@/format";

/** 1 fill, 2 fills */
export const plural = (number: number, word: string): string => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

export const TERMS = {
  decision: "One answer of a language model about one symbol, or why there was none, with its cost.",
  outcome: "How the question went. It is never an opinion: a refusal or a failure is not a hold.",
  confidence: "The model's own estimate, 0 to 100 %, that the price moves its way within the horizon.",
  hitRate: "How often the price had moved the model's way at the horizon, with the interval that holds the true rate 19 times of 20.",
  baseRate: "What one would have got by always naming the commoner direction. A hit rate is worth only what it is above this.",
  brier: "Mean squared distance between stated confidence and what happened. 0 is perfect, 0.25 is a coin; lower is better.",
  skill: "Brier score against always stating the hit rate itself. Above 0 the confidence tells something.",
  reliability: "Of the answers with a confidence of 70 % about 70 % should be right. Points on the dashed line keep that promise; below it the model is too sure of itself.",
  meanReturn: "What the price had done the model's way at the horizon, on average, before trading costs.",
  reserved: "Set aside for calls under way: each call's worst case, so that a limit can never be overrun. What is not used comes back when the answer is there.",
  unresolved: "Calls that broke off, so that nobody knows whether the provider billed them. They count with their worst case until somebody enters what the provider's page says.",
  budget: "A limit in US dollars for a day or a month of wall time (UTC). You are told at 50, 80 and 100 %.",
  validity: "Answers of the agreed form, of all that came.",
  cachedShare: "Part of the input that the provider had from the call before, at a fraction of the price.",
  costPerFill: "Cost of all its answers for each order of its that was filled.",
  afterCost: "Realised profit and loss after fees, less what the answers cost. Over the whole time, all bots together.",
  served: "The model that the provider says has answered; it may be a dated version of the one asked for.",
  estimated: "Counted by us, since the provider has not told what the call used.",
  dryRun: "Asked as a test: the answer is recorded and never traded.",
  evidence: "Ids of the lines of the snapshot that the answer rests on. An answer that cites what it was not shown is invalid.",
  temperature: "How freely the model picks its words. Many newer models take none.",
  effort: "How long the model may think. Thinking is billed as output.",
  maxTokens: "The longest answer, thinking included. Too small a number pays for answers that are cut off.",
  every: "Ask again after so many closed bars.",
  move: "Also ask when the price has moved by so much since the last question.",
  minGap: "Never ask sooner than this after the last question about a symbol.",
  perCall: "Symbols that share one call: fewer calls, longer questions.",
  horizon: "The longest horizon that an answer may name. Its signal stands that long, at most one bar.",
  deadline: "For one decision with its repeats, in wall time. A later answer is recorded and not traded.",
  fallback: "The config that is asked when this one's provider fails. The decision says so.",
  cache: "How long the very same question gets the same answer at no cost.",
  bot: "Whose positions the prompt shows as {{position}}.",
  showSignals: "Whether the prompt shows what other sources say as {{signals}}.",
  price: "Your own price for a million tokens, where no table knows the model. 0 for a model that costs nothing.",
  version: "The words of a prompt. A version never changes; every decision names its own.",
  activate: "The version that decisions use from now on. Activating an older one rolls back.",
  tokens: "A token is about four characters of English, two of numbers. Providers bill by the token.",
} as const;

export const OUTCOMES = ["answered", "refused", "truncated", "invalid", "failed", "over_budget"] as const;

/** What to do about an outcome that is no answer; empty for those that are. */
export const ADVICE: Record<string, string> = {
  refused: "The model would not answer. Look at the prompt and at the headlines it was shown.",
  truncated: "The answer reached the longest length. Raise “Longest answer”, or lower the effort.",
  invalid: "The answer broke a rule. Seldom is nothing; if it happens often, take a larger model.",
  over_budget: "It was not asked. Raise the budget, or wait for the next day.",
};

/** What to do about a failure, by its kind. */
export const ERROR_ADVICE: Record<string, string> = {
  credentials: "Enter a new key; until then it is tried now and then.",
  forbidden: "The key may not use this model. Choose another, then check the config.",
  unknown_model: "Choose another model, then check the config.",
  exhausted: "Add credit at the provider; it is tried again every few minutes.",
  rate_limited: "Ask less often, or about more symbols in one call.",
  overloaded: "The provider is busy. Ask less often if it lasts.",
  deadline: "Raise the deadline, lower the effort, or take a faster model.",
  bad_request: "Check the config; ask about fewer symbols in one call.",
  too_long: "Ask about fewer symbols in one call, or shorten the prompt.",
  unreachable: "Check the network and the address.",
  connection_lost: "Check the network and the address.",
  gateway: "Something between here and the provider failed. Check the network and the address.",
  address: "Something else answers at this address. Check it.",
  not_json: "Something else answers at this address, such as a sign-in page. Check it.",
  no_price: "There are no bars of this symbol. Add it to the feed, or take it off the config.",
  no_question: "The prompt cannot be filled. Preview it.",
  no_clock: "The market clock stands still. Look at market-data.",
  unknown_price: "No table knows this model. Enter a price of your own in the config.",
  unknown_outcome: "Settle the attempt once the provider's page says what it cost.",
  busy: "Too many calls with one key at once. Ask less often.",
};

export const PROVIDERS: Record<string, string> = { openai: "OpenAI or compatible", claude: "Anthropic" };

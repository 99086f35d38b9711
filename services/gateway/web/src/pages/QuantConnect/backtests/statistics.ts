// QuantConnect's statistics: in which order, and what they mean.

const MEANINGS: Record<string, string> = {
  "Net Profit": "Of the equity it began with.",
  "Compounding Annual Return": "The steady yearly growth that leads to the same end.",
  "Sharpe Ratio": "Mean return for its fluctuation, a year; above 1 is good.",
  "Sortino Ratio": "The same, for falls alone.",
  "Probabilistic Sharpe Ratio": "Chance that the true Sharpe ratio is above 1.",
  Drawdown: "Deepest fall below the highest value before.",
  "Drawdown Recovery": "Days from the deepest fall back to the height before it.",
  "Win Rate": "Share of closed trades that made a profit.",
  "Loss Rate": "Share of closed trades that did not.",
  "Profit-Loss Ratio": "Average win for the average loss.",
  Expectancy: "Expected profit of a trade, in average losses.",
  "Average Win": "Of the equity.",
  "Average Loss": "Of the equity.",
  Alpha: "Yearly return that the benchmark does not explain.",
  Beta: "How much it moves with the benchmark; 1 is alike.",
  "Annual Standard Deviation": "How much its returns fluctuate, a year.",
  "Annual Variance": "Square of that fluctuation.",
  "Information Ratio": "Return above the benchmark's for the deviation from it.",
  "Tracking Error": "How much it deviates from the benchmark, a year.",
  "Treynor Ratio": "Return for the market's risk.",
  "Total Fees": "What its orders would have cost.",
  "Total Orders": "How many it sent.",
  "Portfolio Turnover": "Share of the equity that is traded in a day.",
  "Estimated Strategy Capacity": "Money that could follow it before its own orders move prices.",
  "Start Equity": "What it began with.",
  "End Equity": "What it was worth at its end.",
};
const ORDER = Object.keys(MEANINGS);

export const meaning = (name: string): string | undefined => MEANINGS[name];

/** Names of all statistics, the important ones first, the others as they come. */
export function ordered(...of: readonly (Record<string, string> | undefined)[]): string[] {
  const names = [...new Set(of.flatMap((one) => Object.keys(one ?? {})))];
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return names.sort((a, b) => place(a) - place(b));
}

/** A statistic as a number, for telling which of two is higher; null when it is none. */
export function amount(text: string | undefined): number | null {
  const bare = text?.replace(/[$,%\s]/g, "") ?? "";
  return bare !== "" && Number.isFinite(Number(bare)) ? Number(bare) : null;
}

const LESS_IS_BETTER = ["Drawdown", "Drawdown Recovery", "Loss Rate", "Total Fees", "Annual Standard Deviation", "Annual Variance", "Tracking Error"];
const NEITHER = ["Beta", "Treynor Ratio", "Total Orders", "Portfolio Turnover", "Start Equity"];

/** Which of two is better: 0, 1, or neither. */
export function better(name: string, first: string | undefined, second: string | undefined): 0 | 1 | null {
  const [a, b] = [amount(first), amount(second)];
  if (a === null || b === null || a === b || NEITHER.includes(name) || !ORDER.includes(name)) return null;
  return a > b !== LESS_IS_BETTER.includes(name) ? 0 : 1;
}

// What the columns of tables mean, in the glossary's words.

export const TERM = {
  algorithm: "A live project at QuantConnect.",
  bot: "One book: what it holds, its cash and its open orders, under rules of its own.",
  confidence: "The source's own estimate, 0 to 100 %.",
  entry: "Price at which it was opened.",
  fees: "What the broker took, for opening and closing.",
  fills: "Parts of orders that were executed.",
  money: "Paper: a simulated order. Real: an order at a broker.",
  next: "What a person can do about it.",
  order: "Buy or sell at the market's price; a limit order at its price or better; a stop waits at the broker and trades once the price is there.",
  purpose: "Entry takes risk, exit gives it back; protective orders are stops, targets and their like.",
  quantity: "How many shares or coins.",
  says: "Buy wants to be long, sell wants not to be long, close is flat itself, hold has no opinion.",
  source: "Who speaks: a QuantConnect project, a model configuration, a strategy, a token, a person.",
} as const;

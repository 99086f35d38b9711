import { useAddress } from "@/address";
import { Compare } from "./Compare";
import { History } from "./History";
import { Result } from "./Result";
import { RunForm } from "./RunForm";
import "../quantconnect.css";

/** Runs over the past: begin one, follow it, look at it (`?backtest=ID`), compare two (`?compare=ID,ID`). */
export function Backtests() {
  const [{ backtest, compare }] = useAddress("backtest", "compare");
  const [first, second] = compare?.split(",") ?? [];
  if (first && second) return <Compare first={first} second={second} />;
  if (backtest) return <Result key={backtest} id={backtest} />;
  return (
    <>
      <RunForm />
      <History />
    </>
  );
}

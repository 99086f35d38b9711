import { Page, PageTabs, type Tab } from "@/components/Page";
import { Algorithms } from "./algorithms/Algorithms";
import { Backtests } from "./backtests/Backtests";
import { Configuration } from "./configuration/Configuration";
import { Overview } from "./overview/Overview";
import { Signals } from "./signals/Signals";

const TABS: readonly Tab[] = [
  { path: "", label: "Overview", render: () => <Overview /> },
  { path: "signals", label: "Signals", render: () => <Signals /> },
  { path: "backtests", label: "Backtests", render: () => <Backtests /> },
  { path: "algorithms", label: "Algorithms", render: () => <Algorithms /> },
  { path: "configuration", label: "Configuration", render: () => <Configuration /> },
];

export default function QuantConnect() {
  return (
    <Page title="QuantConnect" lead="Your algorithms there, what they say, and what becomes of it here.">
      <PageTabs base="/quantconnect" label="QuantConnect" tabs={TABS} />
    </Page>
  );
}

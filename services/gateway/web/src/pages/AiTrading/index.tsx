import { Page, PageTabs, type Tab } from "@/components/Page";
import { Configuration } from "./configuration/Configuration";
import { Costs } from "./costs/Costs";
import { DecisionDialog } from "./decisions/DecisionDialog";
import { Decisions } from "./decisions/Decisions";
import { Overview } from "./overview/Overview";
import { Prompts } from "./prompts/Prompts";
import { TestDecision } from "./TestDecision";
import "./ai.css";

const TABS: readonly Tab[] = [
  { path: "", label: "Overview", render: () => <Overview /> },
  { path: "configuration", label: "Configuration", render: () => <Configuration /> },
  { path: "prompts", label: "Prompts", render: () => <Prompts /> },
  { path: "decisions", label: "Decisions", render: () => <Decisions /> },
  { path: "costs", label: "Costs", render: () => <Costs /> },
  { path: "test", label: "Test decision", render: () => <TestDecision /> },
];

export default function AiTrading() {
  return (
    <Page title="AI trading" lead="What language models say about the market, what became of it, and what it costs.">
      <PageTabs base="/ai-trading" label="AI trading" tabs={TABS} />
      <DecisionDialog />
    </Page>
  );
}

import { Page, PageTabs, type Tab } from "@/components/Page";
import { About } from "./About";
import { Accounts } from "./accounts/Accounts";
import { AlertSettings } from "./Alerts";
import { Appearance } from "./Appearance";
import { Bots } from "./bots/Bots";
import { Limits } from "./limits/Limits";
import { Sources } from "./Sources";
import { Strategies } from "./Strategies";
import { Tokens } from "./Tokens";
import "./settings.css";

const TABS: Tab[] = [
  { path: "", label: "Bots", render: () => <Bots /> },
  { path: "strategies", label: "Strategies", render: () => <Strategies /> },
  { path: "accounts", label: "Accounts", render: () => <Accounts /> },
  { path: "sources", label: "Sources", render: () => <Sources /> },
  { path: "limits", label: "Limits and kill switch", render: () => <Limits /> },
  { path: "tokens", label: "API tokens", render: () => <Tokens /> },
  { path: "alerts", label: "Alerts", render: () => <AlertSettings /> },
  { path: "appearance", label: "Appearance", render: () => <Appearance /> },
  { path: "about", label: "About", render: () => <About /> },
];

export default function Settings() {
  return (
    <Page title="Settings" lead="Who may trade, how much, on which account.">
      <PageTabs base="/settings" label="Settings" tabs={TABS} />
    </Page>
  );
}

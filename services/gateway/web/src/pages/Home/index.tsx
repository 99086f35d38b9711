import { Select, Stack } from "@mantine/core";
import { useState } from "react";
import { Page } from "@/components/Page";
import { Alerts } from "./Alerts";
import { Comparison } from "./Comparison";
import { Curves } from "./Curves";
import { Figures } from "./Figures";
import { FirstSteps } from "./FirstSteps";
import { Latest } from "./Latest";
import { Places } from "./Places";
import { Positions } from "./Positions";
import { useSummary } from "./queries";
import { Sources } from "./Sources";
import { Spend } from "./Spend";

/** How everything is doing, on one page. */
export default function Home() {
  const summary = useSummary();
  const bots = summary.data?.bots.map((one) => one.bot) ?? [];
  const [chosen, choose] = useState<string | null>(null);
  const bot = chosen && bots.includes(chosen) ? chosen : (bots[0] ?? null);
  return (
    <Page
      title="Overview"
      actions={
        bots.length > 1 && (
          <Select size="xs" w={200} label="Bot of the curves" data={bots} value={bot} onChange={choose} allowDeselect={false} />
        )
      }
    >
      <FirstSteps />
      <Figures summary={summary} />
      <div className="grid">
        <Stack gap="md" className="beside">
          <Alerts />
          <Spend />
        </Stack>
        <Curves bot={bot} known={summary.data !== undefined} />
        <Positions />
        <Latest />
        <Sources />
        <Comparison />
        <Places />
      </div>
    </Page>
  );
}

import { Button, Group, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useChain } from "@/components/ChainDialog";
import { Page, PageTabs, type Tab } from "@/components/Page";
import { Alerts } from "./Alerts";
import { Orders } from "./Orders";
import { Positions } from "./Positions";
import { Signals } from "./Signals";
import { Trades } from "./Trades";
import { Verdicts } from "./Verdicts";
import "./activity.css";

const TABS: Tab[] = [
  { path: "", label: "Signals", render: () => <Signals /> },
  { path: "verdicts", label: "Verdicts", render: () => <Verdicts /> },
  { path: "orders", label: "Orders", render: () => <Orders /> },
  { path: "trades", label: "Trades", render: () => <Trades /> },
  { path: "positions", label: "Positions", render: () => <Positions /> },
  { path: "alerts", label: "Alerts", render: () => <Alerts /> },
];

export default function Activity() {
  return (
    <Page title="Activity" lead="What every source said, what became of it, and why." actions={<FindById />}>
      <PageTabs base="/activity" label="Activity" tabs={TABS} />
    </Page>
  );
}

/** Opens the chain of any id that somebody has at hand. */
function FindById() {
  const [id, setId] = useState("");
  const { open } = useChain();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (id.trim()) open(id.trim());
  };
  return (
    <form onSubmit={submit} role="search" aria-label="Find by id">
      <Group gap="sm" wrap="nowrap">
        <TextInput
          size="xs"
          w={230}
          aria-label="Id of a signal, verdict, order, fill or lot"
          placeholder="Id of a signal, order, lot…"
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        />
        <Button type="submit" size="xs" variant="default">
          Find
        </Button>
      </Group>
    </form>
  );
}

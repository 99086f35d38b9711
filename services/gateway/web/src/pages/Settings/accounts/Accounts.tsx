import { Badge, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAddress } from "@/address";
import { api, must, type Schemas } from "@/api/client";
import { useAccounts, useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { FormDialog } from "@/components/FormDialog";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { Time } from "@/components/Values";
import { money } from "@/format";
import { AccountForm } from "./AccountForm";
import { LiveSwitches } from "./LiveSwitches";

type Account = Schemas["AccountView"];
const NEW = "new";

/** Where orders go, and what it takes until one is real. */
export function Accounts() {
  const query = useAccounts();
  const may = useMay("admin");
  const [{ account: edited }, set] = useAddress("account");
  const edit = (account: string | null) => set({ account });
  const found = query.data?.items.find((one) => one.id === edited);
  const [gone, setGone] = useState<Account | null>(null);
  const refresh = useRefresh();
  const remove = async () => {
    if (!gone) return;
    await must(api.DELETE("/api/accounts/{account_id}", { params: { path: { account_id: gone.id } } }));
    told(`Account ${gone.id} is deleted.`);
    await refresh("accounts");
  };
  return (
    <>
      <Panel
        title="Accounts"
        tip="Where orders go. Each belongs to one bot; a paper account is filled by a simulated broker."
        actions={
          may && (
            <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => edit(NEW)}>
              New account
            </Button>
          )
        }
      >
        <Loaded query={query} height={200}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty action={may && <Button onClick={() => edit(NEW)}>Add an account</Button>}>There is no account. A new bot gets a paper account of its own.</Empty>
            ) : (
              <div className="bots">
                {items.map((account) => (
                  <AccountCard key={account.id} account={account} may={may} edit={() => edit(account.id)} remove={() => setGone(account)} />
                ))}
              </div>
            )
          }
        </Loaded>
      </Panel>
      <LiveSwitches />
      <FormDialog opened={Boolean(found) || edited === NEW} onClose={() => edit(null)} title={found ? `Account ${found.id}` : "New account"} size="lg">
        <AccountForm key={edited} account={found} onDone={() => edit(null)} />
      </FormDialog>
      <ConfirmDialog opened={gone !== null} onClose={() => setGone(null)} title={`Delete account ${gone?.id ?? ""}?`} confirm="Delete" danger act={remove}>
        Its keys are forgotten. What was traded on it stays in the records. No bot may use it, and nothing may be open on it.
      </ConfirmDialog>
    </>
  );
}

function AccountCard({ account, may, edit, remove }: { account: Account; may: boolean; edit: () => void; remove: () => void }) {
  const paper = account.broker === "paper";
  return (
    <Card component="article" aria-label={`Account ${account.id}`}>
      <Stack gap="sm" h="100%">
        <Group justify="space-between" gap="sm" align="flex-start" wrap="nowrap">
          <div>
            <Title order={3}>{account.name}</Title>
            <Text size="xs" c="dimmed">{account.id}</Text>
          </div>
          {account.mode === "live" ? (
            <Badge color="red" variant="filled" flex="none">Real money</Badge>
          ) : (
            <Badge color="blue" flex="none">Paper</Badge>
          )}
        </Group>
        <Facts
          items={[
            ["Broker", paper ? "Simulated here" : "Alpaca"],
            ["Bot", account.bot ?? "none"],
            ["Starts with", paper && money(account.paper.starting_cash)],
            ["Key", !paper && `ends in ${account.key_hint}`],
            ["Entered", account.keys_at && <Time key="k" at={account.keys_at} show="day" />],
            ["Stops", !paper && (account.stops_at_broker ? "at the broker" : "watched here")],
            ["Provider", !paper && (account.target === "sandbox" ? "the sandbox" : "the real one")],
          ]}
        />
        {may && (
          <Group gap="sm" mt="auto">
            <Button size="xs" variant="default" onClick={edit}>
              Edit
            </Button>
            <Button size="xs" variant="subtle" color="red" onClick={remove}>
              Delete
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

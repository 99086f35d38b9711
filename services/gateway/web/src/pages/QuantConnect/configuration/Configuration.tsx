import { Button, Stack } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useAddress } from "@/address";
import { useConnections, useMay } from "@/api/shared";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { useConfigs } from "../queries";
import { Account } from "./Account";
import { ConfigDialog } from "./ConfigDialog";
import "../quantconnect.css";

/** The accounts that are read, and who may push: `?edit=ID`, `?edit=new`. */
export function Configuration() {
  const query = useConfigs();
  const { data: statuses } = useConnections();
  const may = useMay("admin");
  const [{ edit }, set] = useAddress("edit");
  const add = may && (
    <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => set({ edit: "new" })}>
      Add an account
    </Button>
  );
  return (
    <Panel
      title="Accounts"
      tip="QuantConnect accounts that Signalbox reads, or that push to it. Each can follow one algorithm, or all that run live."
      actions={add}
    >
      <Loaded query={query} height={220}>
        {({ items }) => {
          const edited = items.find((one) => one.id === edit) ?? null;
          return (
            <>
              {items.length === 0 ? (
                <Empty height={180} action={add}>
                  No account is followed yet. You need the user id and an API token from quantconnect.com, Account, Security; or try the
                  sandbox with user id 123 and token abc.
                </Empty>
              ) : (
                <Stack gap="md">
                  {items.map((one) => (
                    <Account
                      key={one.id}
                      config={one}
                      status={statuses?.items.find((status) => status.config_id === one.id)}
                      onEdit={() => set({ edit: one.id })}
                    />
                  ))}
                </Stack>
              )}
              {may && (edited || edit === "new") && (
                <ConfigDialog key={edit} config={edited} onClose={() => set({ edit: null })} />
              )}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

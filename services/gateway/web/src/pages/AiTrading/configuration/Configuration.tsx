import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useAddress } from "@/address";
import { useMay } from "@/api/shared";
import { FormDialog } from "@/components/FormDialog";
import { Empty, Loaded } from "@/components/Loaded";
import { type Config, useConfigs } from "../queries";
import { ConfigCard } from "./ConfigCard";
import { ConfigForm } from "./ConfigForm";

const NEW = "new";

/** Every config as a card; `?config=ID` opens its form, `?config=new` an empty one. */
export function Configuration() {
  const [{ config: wanted }, set] = useAddress("config");
  const may = useMay("admin");
  const query = useConfigs();
  const open = (config: string | null) => set({ config });
  const add = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => open(NEW)} disabled={!may}>
      Add a model
    </Button>
  );
  return (
    <>
      <Loaded query={query} height={260}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty height={260} action={add}>
              No language model is configured. You need a provider's key and the name of one of its models; the sandbox answers without a key, to show how it works.
            </Empty>
          ) : (
            <>
              <div>{add}</div>
              <div className="configs">
                {items.map((config) => (
                  <ConfigCard key={config.id} config={config} onEdit={() => open(config.id)} />
                ))}
              </div>
            </>
          )
        }
      </Loaded>
      <Dialog wanted={wanted} configs={query.data?.items} onClose={() => open(null)} onSaved={open} />
    </>
  );
}

interface DialogProps {
  wanted: string | undefined;
  configs: readonly Config[] | undefined;
  onClose: () => void;
  onSaved: (id: string) => void;
}

function Dialog({ wanted, configs, onClose, onSaved }: DialogProps) {
  const stored = configs?.find((one) => one.id === wanted) ?? null;
  const ready = wanted !== undefined && configs !== undefined;
  const gone = ready && wanted !== NEW && !stored;
  return (
    <FormDialog opened={ready} onClose={onClose} title={stored ? stored.name : "Add a language model"} size="xl">
      {gone && <Empty height={120}>There is no config {wanted}. It may have been deleted.</Empty>}
      {ready && !gone && <ConfigForm key={stored?.id ?? NEW} stored={stored} onClose={onClose} onSaved={onSaved} />}
    </FormDialog>
  );
}

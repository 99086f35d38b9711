import { ActionIcon, Button, Group, Menu } from "@mantine/core";
import { IconDotsVertical, IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useState } from "react";
import { api, must } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { told } from "@/components/toasts";
import { isLive } from "@/standing";
import type { Algorithm } from "../queries";
import { keyOf } from "../words";
import { DeployDialog } from "./DeployDialog";

type Asked = "deploy" | "stop" | "liquidate" | null;

const named = (algorithm: Algorithm, key: string) => ({
  path: { algorithm_id: algorithm.id },
  query: { config: algorithm.config_id },
  header: { "idempotency-key": key },
});

/** Deploy, or stop and liquidate: what an algorithm can be told now. Everything asks first. */
export function Actions({ algorithm, compact = false }: { algorithm: Algorithm; compact?: boolean }) {
  const may = useMay("trader");
  const refresh = useRefresh();
  const [asked, setAsked] = useState<Asked>(null);
  const close = () => setAsked(null);
  const running = `${keyOf(algorithm)} ${algorithm.deploy_id}`;
  const stop = async () => {
    const end = await once(`stop ${running}`, (key) =>
      must(api.POST("/api/quantconnect/algorithms/{algorithm_id}/stop", { params: named(algorithm, key) })),
    );
    told(`${algorithm.name}: QuantConnect says ${end.status}. What it holds stays.`);
    await refresh("algorithms", "quantconnect-status");
  };
  const liquidate = async () => {
    const end = await once(`liquidate ${running}`, (key) =>
      must(
        api.POST("/api/quantconnect/algorithms/{algorithm_id}/liquidate", {
          params: named(algorithm, key),
          body: { confirm: true },
        }),
      ),
    );
    told(`${algorithm.name}: QuantConnect says ${end.status}.`);
    await refresh("algorithms", "quantconnect-status");
  };

  if (!may) return null;
  return (
    <>
      {isLive(algorithm) ? (
        <Group gap={4} wrap="nowrap" justify="flex-end">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlayerStop size={14} aria-hidden />}
            onClick={() => setAsked("stop")}
            aria-label={`Stop ${algorithm.name}`}
          >
            Stop
          </Button>
          {compact ? (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label={`More for ${algorithm.name}`}>
                  <IconDotsVertical size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item color="red" onClick={() => setAsked("liquidate")}>
                  Liquidate…
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          ) : (
            <Button size="xs" variant="light" color="red" onClick={() => setAsked("liquidate")} aria-label={`Liquidate ${algorithm.name}`}>
              Liquidate
            </Button>
          )}
        </Group>
      ) : (
        <Button
          size="xs"
          variant="light"
          leftSection={<IconPlayerPlay size={14} aria-hidden />}
          onClick={() => setAsked("deploy")}
          aria-label={`Deploy ${algorithm.name}`}
        >
          Deploy
        </Button>
      )}
      <ConfirmDialog opened={asked === "stop"} onClose={close} title={`Stop ${algorithm.name}?`} confirm="Stop it" danger act={stop}>
        QuantConnect stops the algorithm. It says nothing more, and what it holds there stays.
      </ConfirmDialog>
      <ConfirmDialog
        opened={asked === "liquidate"}
        onClose={close}
        title={`Liquidate ${algorithm.name}?`}
        confirm="Sell everything"
        danger
        word="LIQUIDATE"
        act={liquidate}
      >
        QuantConnect sells everything that the algorithm holds there, at the market, and stops it. What your bots hold here stays.
      </ConfirmDialog>
      {asked === "deploy" && <DeployDialog algorithm={algorithm} onClose={close} />}
    </>
  );
}

import { Anchor, Stack, Table, Text } from "@mantine/core";
import { useMarket, useMe } from "@/api/shared";
import { Facts } from "@/components/Facts";
import { Panel } from "@/components/Panel";
import { version } from "../../../package.json";

const PARTS: readonly (readonly [string, string, string])[] = [
  ["Lightweight Charts", "Apache-2.0", "TradingView, Inc."],
  ["Mantine", "MIT", "Vitaly Rtishchev"],
  ["React", "MIT", "Meta Platforms, Inc. and affiliates"],
  ["React Router", "MIT", "Remix Software Inc., Shopify Inc."],
  ["TanStack Query and Virtual", "MIT", "Tanner Linsley"],
  ["CodeMirror", "MIT", "Marijn Haverbeke and others"],
  ["openapi-fetch", "MIT", "Drew Powers"],
  ["Day.js", "MIT", "iamkun"],
  ["Tabler Icons", "MIT", "Paweł Kuna"],
  ["Inter", "OFL-1.1", "The Inter Project Authors"],
];

/** Which version this is, and whose work it stands on. */
export function About() {
  const { data: me } = useMe();
  const { data: market } = useMarket();
  return (
    <>
      <Panel title="Signalbox">
        <Stack gap="md">
          <Facts
            items={[
              ["Version", version],
              ["Signed in as", me && `${me.username} (${me.role})`],
              ["Prices", market && (market.replay ? `replayed, ${market.speed} times as fast` : "live")],
            ]}
          />
          <Text size="sm">
            This page uses nothing but the public REST interface. <Anchor underline="always" href="/api/docs">Its description</Anchor> is part of this system, and so is{" "}
            <Anchor underline="always" href="/api/openapi.json">the same for programs</Anchor>.
          </Text>
        </Stack>
      </Panel>
      <Panel title="Licences">
        <Stack gap="md">
          <Text size="sm">
            TradingView Lightweight Charts™, Copyright © 2025 TradingView, Inc. <Anchor underline="always" href="https://www.tradingview.com/" rel="noreferrer">https://www.tradingview.com/</Anchor>
          </Text>
          <Text size="sm">
            Its licence is the Apache License, Version 2.0: it may be used as that allows, comes as it is, and without warranties of any kind.
          </Text>
          <Table.ScrollContainer minWidth={320}>
            <Table aria-label="Parts of this page">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Part of this page</Table.Th>
                  <Table.Th>Licence</Table.Th>
                  <Table.Th>Of</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {PARTS.map(([name, licence, owner]) => (
                  <Table.Tr key={name}>
                    <Table.Td>{name}</Table.Td>
                    <Table.Td>{licence}</Table.Td>
                    <Table.Td>{owner}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Stack>
      </Panel>
    </>
  );
}

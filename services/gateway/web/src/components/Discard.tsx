import { Button, Group, Modal, Stack, Text } from "@mantine/core";

/** Asks before what was typed is lost. Rendered only while it asks. */
export function Discard({ onKeep, onDiscard }: { onKeep: () => void; onDiscard: () => void }) {
  return (
    <Modal opened onClose={onKeep} title="Leave without saving?">
      <Stack gap="md">
        <Text size="sm">What you have changed here is not saved.</Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onKeep} data-autofocus>
            Keep editing
          </Button>
          <Button color="red.9" onClick={onDiscard}>
            Discard it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

import { Button, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError, api, must } from "@/api/client";
import { setSessionOver, useSessionOver } from "@/api/session";
import { type Me, useMe } from "@/api/shared";
import { Problem } from "./Loaded";

const ABOVE = 300; // a dialog that was open already
const HERE = { "data-mantine-stop-propagation": true }; // Escape closes no dialog below

/** User name and password. */
export function SignInForm({ as, onDone }: { as: string; onDone: (me: Me) => void }) {
  const [username, setUsername] = useState(as);
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => must(api.POST("/api/auth/session", { body: { username, password } })),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  const { error } = signIn;
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          {...HERE}
          label="User name"
          autoComplete="username"
          required
          maxLength={64}
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          {...HERE}
          label="Password"
          autoComplete="current-password"
          required
          maxLength={128}
          autoFocus
          data-autofocus
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
        />
        {error && <Problem error={plainer(error)} what="You are not signed in" />}
        <Button {...HERE} type="submit" loading={signIn.isPending} fullWidth>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

/** What the interface advises programs to do is of no use to a person here. */
function plainer(error: Error): Error {
  return error instanceof ApiError && error.status === 401 ? new ApiError(401, "The user name or the password is not right.") : error;
}

/** Over the page whose session has ended: what was typed there stays. */
export function SignInDialog() {
  const over = useSessionOver();
  const { data: before } = useMe();
  const client = useQueryClient();
  const onDone = (me: Me) => {
    if (me.username !== before?.username) return location.reload(); // the page was somebody else's
    client.setQueryData(["me"], me);
    setSessionOver(false);
    void client.invalidateQueries();
  };
  return (
    <Modal
      opened={over}
      onClose={() => undefined}
      title="Sign in again"
      size="sm"
      zIndex={ABOVE}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      overlayProps={{ blur: 8 }}
    >
      <Stack gap="md">
        <Text size="sm">Your session has ended. Sign in to go on where you are; what you typed is still there.</Text>
        <SignInForm as={before?.username ?? ""} onDone={onDone} />
      </Stack>
    </Modal>
  );
}

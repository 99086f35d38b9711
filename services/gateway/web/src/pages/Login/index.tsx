import { Button, Card, Code, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { ApiError, api, must } from "@/api/client";
import { Problem } from "@/components/Loaded";

/** Where to go after signing in: only ever a place of this page. */
export const safeNext = (next: string | null): string =>
  next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") && !next.startsWith("/login") ? next : "/";

export default function Login() {
  const [username, setUsername] = useState("admin");
  const [password, setPassword] = useState("");
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  useEffect(() => {
    document.title = "Sign in · Signalbox";
  }, []);
  const signIn = useMutation({
    mutationFn: () => must(api.POST("/api/auth/session", { body: { username, password } })),
    onSuccess: (me) => {
      client.clear();
      client.setQueryData(["me"], me);
      void navigate(safeNext(params.get("next")), { replace: true });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  const { error } = signIn;
  return (
    <main className="lonely">
      <Card padding="lg" w={360} maw="100%">
        <form onSubmit={submit}>
          <Stack gap="md">
            <Stack gap="sm" align="center">
              <img src="/icon.svg" alt="" width={44} height={44} />
              <Title order={1}>Signalbox</Title>
            </Stack>
            <TextInput
              label="User name"
              autoComplete="username"
              required
              maxLength={64}
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              autoComplete="current-password"
              required
              maxLength={128}
              autoFocus
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
            />
            {error && <Problem error={plainer(error)} what="You are not signed in" />}
            <Button type="submit" loading={signIn.isPending} fullWidth>
              Sign in
            </Button>
            <Text size="xs" c="dimmed" ta="center">
              The first password is in the file <Code>admin-password</Code> of the state directory.
            </Text>
          </Stack>
        </form>
      </Card>
    </main>
  );
}

/** What the interface advises programs to do is of no use to a person here. */
function plainer(error: Error): Error {
  return error instanceof ApiError && error.status === 401 ? new ApiError(401, "The user name or the password is not right.") : error;
}

import { Card, Code, Stack, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useNavigate, useSearchParams } from "react-router";
import type { Me } from "@/api/shared";
import { SignInForm } from "@/components/SignIn";

/** Where to go after signing in: only ever a place of this page. */
export const safeNext = (next: string | null): string =>
  next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") && !next.startsWith("/login") ? next : "/";

export default function Login() {
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  useEffect(() => {
    document.title = "Sign in · Signalbox";
  }, []);
  const onDone = (me: Me) => {
    client.clear();
    client.setQueryData(["me"], me);
    void navigate(safeNext(params.get("next")), { replace: true });
  };
  return (
    <main className="lonely">
      <Card padding="lg" w={360} maw="100%">
        <Stack gap="md">
          <Stack gap="sm" align="center">
            <img src="/icon.svg" alt="" width={44} height={44} />
            <Title order={1}>Signalbox</Title>
          </Stack>
          <SignInForm as="admin" onDone={onDone} />
          <Text size="xs" c="dimmed" ta="center">
            The first password is in the file <Code>admin-password</Code> of the state directory.
          </Text>
        </Stack>
      </Card>
    </main>
  );
}

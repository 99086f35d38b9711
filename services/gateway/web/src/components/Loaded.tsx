import { Alert, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import { dayTime } from "@/format";

/** What went wrong, what to do next, and the id to ask about. */
export function Problem({ error, what, retry, busy }: { error: Error; what?: string; retry?: () => void; busy?: boolean }) {
  const known = error instanceof ApiError ? error : null;
  return (
    <Alert color="red" variant="light" title={what ?? "This could not be loaded"} role="alert" icon={<IconAlertTriangle />}>
      <Text size="sm">{error.message}</Text>
      {known?.advice && <Text size="sm" c="dimmed">{known.advice}</Text>}
      {known?.requestId && <Text size="xs" c="dimmed">Request {known.requestId}</Text>}
      {retry && (
        <Button size="xs" variant="default" mt="sm" onClick={retry} loading={busy}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** An empty place says what is missing and what to do next. */
export function Empty({ children, action, height }: { children: ReactNode; action?: ReactNode; height?: number }) {
  return (
    <Stack align="center" justify="center" gap="sm" mih={height} py="md" px="sm">
      <Text c="dimmed" size="sm" ta="center" maw={460}>
        {children}
      </Text>
      {action && <Group>{action}</Group>}
    </Stack>
  );
}

interface Props<T> {
  query: Pick<UseQueryResult<T>, "data" | "dataUpdatedAt" | "error" | "isFetching" | "refetch">;
  /** Of what will stand here, in pixels, so that nothing jumps. */
  height: number;
  children: (data: T) => ReactNode;
  /** Shown instead of an empty list, or of a listing without items. */
  empty?: ReactNode;
}

function Old({ since, error, retry }: { since: number; error: Error; retry: () => void }) {
  return (
    <Group gap="sm" role="status" mb="sm">
      <Text size="sm" className="warn" title={error.message}>
        Not up to date since {dayTime(new Date(since).toISOString())}.
      </Text>
      <Button size="compact-xs" variant="default" onClick={retry}>
        Try again
      </Button>
    </Group>
  );
}

const EMPTY_PX = 96; // nothing needs no more room
const isEmpty = (data: unknown): boolean => {
  const list = Array.isArray(data) ? data : (data as { items?: unknown } | null)?.items;
  return Array.isArray(list) && list.length === 0;
};

/** Loading, failed, empty, or there. What was read once stays, and says since when it is old if it cannot be read again. */
export function Loaded<T>({ query, height, children, empty }: Props<T>) {
  const { data, dataUpdatedAt, error, isFetching, refetch } = query;
  if (data === undefined) {
    if (error) return <Problem error={error} retry={() => void refetch()} busy={isFetching} />;
    return <Skeleton h={height} role="status" aria-label="Loading" />;
  }
  const nothing = empty !== undefined && isEmpty(data);
  return (
    <>
      {error && <Old since={dataUpdatedAt} error={error} retry={() => void refetch()} />}
      {nothing ? <Empty height={Math.min(height, EMPTY_PX)}>{empty}</Empty> : children(data)}
    </>
  );
}

import { Alert, Button, Skeleton, Text } from "@mantine/core";
import { Link, useRouteError } from "react-router";
import { Page } from "./Page";

/** While the first script of a page comes. */
export function Waiting() {
  return <Skeleton h="100dvh" radius={0} role="status" aria-label="Loading" />;
}

/** A page that could not even begin: mostly a script of a build that is gone. */
export function Broken() {
  const error = useRouteError();
  return (
    <main className="lonely">
      <Alert color="red" variant="light" title="This page could not be opened" role="alert">
        <Text size="sm">{error instanceof Error ? error.message : "Something unexpected came."}</Text>
        <Text size="sm" c="dimmed">
          Signalbox may have been updated, or the gateway is away. Load the page again.
        </Text>
        <Button size="xs" variant="default" mt="sm" onClick={() => location.reload()}>
          Load again
        </Button>
      </Alert>
    </main>
  );
}

/** An address that leads nowhere. */
export function Nowhere() {
  return (
    <Page title="Nothing here">
      <Text>
        There is no page at this address. Go to the <Link to="/">overview</Link>.
      </Text>
    </Page>
  );
}

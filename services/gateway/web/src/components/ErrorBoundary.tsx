import { Alert, Button, Text } from "@mantine/core";
import { Component, type ReactNode } from "react";

interface Props {
  what: string;
  children: ReactNode;
}

/** A panel that breaks leaves the rest of the page standing. */
export class ErrorBoundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Alert color="red" variant="light" title={`${this.props.what} cannot be shown`} role="alert">
        <Text size="sm">The page met something it does not understand: {error.message}</Text>
        <Button size="xs" variant="default" mt="sm" onClick={() => this.setState({ error: null })}>
          Show it again
        </Button>
      </Alert>
    );
  }
}

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, must, type Schemas } from "@/api/client";
import { useChain } from "@/components/ChainDialog";
import { Loaded } from "@/components/Loaded";
import { State } from "@/components/Values";
import { plural } from "../terms";
import { Answer } from "./columns";
import { DecisionBody } from "./DecisionBody";
import { useOpenDecision } from "./open";

type Detail = Schemas["DecisionDetail"];

/** One decision whole; stands once on the page. */
export function DecisionDialog() {
  const { id, open } = useOpenDecision();
  const query = useQuery({
    queryKey: ["chain", "decision", id],
    queryFn: () => must(api.GET("/api/ai-trading/decision/{decision_id}", { params: { path: { decision_id: id ?? "" } } })),
    enabled: id !== null,
  });
  const found = query.data;
  return (
    <Modal opened={id !== null} onClose={() => open(null)} title={found ? <Title decision={found} /> : "Decision"} size="xl">
      {id !== null && (
        <Loaded query={query} height={420}>
          {(decision) => (
            <Stack gap="md">
              <Fate decision={decision} />
              <DecisionBody decision={decision} />
            </Stack>
          )}
        </Loaded>
      )}
    </Modal>
  );
}

function Title({ decision }: { decision: Detail }) {
  return (
    <Group gap="sm" component="span">
      <Answer decision={decision} /> {decision.symbol}
      {decision.target && <State state={decision.target} />}
      {decision.dry_run && <State state="test, never traded" />}
    </Group>
  );
}

/** What became of it, with the way to its signal, verdicts, orders and fills. */
function Fate({ decision }: { decision: Detail }) {
  const chain = useChain();
  const { signal_id: signal, chain: rest } = decision;
  if (decision.outcome !== "answered") return null; // the body says why
  const fills = rest?.orders?.flatMap((order) => order.trades).length ?? 0;
  return (
    <Group justify="space-between" gap="sm">
      <Text size="sm" className="grows">
        {decision.explanation}
        {signal && rest && (
          <span className="dim">
            {" "}
            {plural(rest.verdicts?.length ?? 0, "verdict")}, {plural(rest.orders?.length ?? 0, "order")}, {plural(fills, "fill")} so far.
          </span>
        )}
      </Text>
      {signal && (
        <Button
          size="xs"
          variant="default"
          onClick={() => chain.open(signal)}
        >
          Signal and what followed
        </Button>
      )}
    </Group>
  );
}

import { Anchor, Group, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, must, type Schemas } from "@/api/client";
import { useChain } from "@/components/ChainDialog";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { Action, Source, State, Time } from "@/components/Values";

const MOST = 8;

/** The latest verdicts, each with its reason. */
export function Latest() {
  const query = useQuery({
    queryKey: ["verdicts", "latest"],
    queryFn: () => must(api.GET("/api/verdicts", { params: { query: { limit: MOST } } })),
  });
  return (
    <Panel
      title="Latest verdicts"
      tip="What became of the newest signals, bot by bot, and why."
      className="two-thirds"
      actions={<Anchor component={Link} to="/activity/verdicts" size="sm">All verdicts</Anchor>}
    >
      <Loaded query={query} height={360} empty="No signal has been judged yet. The first verdicts come as soon as a source speaks.">
        {({ items }) => items.map((verdict) => <Verdict key={verdict.id} verdict={verdict} />)}
      </Loaded>
    </Panel>
  );
}

function Verdict({ verdict }: { verdict: Schemas["VerdictView"] }) {
  const { open } = useChain();
  return (
    <UnstyledButton className="entry opens" onClick={() => open(verdict.id)} w="100%">
      <Group gap="sm" wrap="nowrap" justify="space-between">
        <Group gap="sm" wrap="wrap">
          <Text size="sm" span><Action action={verdict.action} /> <strong>{verdict.symbol}</strong></Text>
          <State state={verdict.outcome} />
          <Text size="xs" c="dimmed" span>
            <Source type={verdict.source_type} id={verdict.source_id} /> for {verdict.bot}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" className="number" flex="none" span><Time at={verdict.evaluated_at} /></Text>
      </Group>
      <Text size="sm" c="dimmed" lineClamp={1}>{verdict.explanation}</Text>
    </UnstyledButton>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Button } from "@mantine/core";
import { Link } from "react-router";
import { api, must } from "@/api/client";
import { Empty, Loaded } from "@/components/Loaded";
import { SimpleTable } from "@/components/SimpleTable";
import { rowLabel, SHORT } from "../decisions/columns";
import { useOpenDecision } from "../decisions/open";

const SHOWN = 8;

/** The newest answers. */
export function Recent() {
  const { open } = useOpenDecision();
  const query = useQuery({
    queryKey: ["llm-decisions", "recent"],
    queryFn: () => must(api.GET("/api/ai-trading/decision", { params: { query: { limit: SHOWN } } })),
  });
  return (
    <Loaded query={query} height={330}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty height={330} action={<Button component={Link} to="/ai-trading/test" variant="default">Ask a model now</Button>}>
            No model has been asked yet. An active config asks by itself when its bars have closed.
          </Empty>
        ) : (
          <SimpleTable label="Recent decisions" rows={items} columns={SHORT} onOpen={(one) => open(one.id)} rowLabel={rowLabel} height={330} />
        )
      }
    </Loaded>
  );
}

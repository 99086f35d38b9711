import { onlineManager } from "@tanstack/react-query";
import { afterEach, expect, it, vi } from "vitest";
import { newQueryClient } from "./query";

afterEach(() => onlineManager.setOnline(true));

it("asks and acts also when the browser believes to be offline: the gateway may be on this machine", async () => {
  const client = newQueryClient();
  onlineManager.setOnline(false);
  expect(await client.fetchQuery({ queryKey: ["orders"], queryFn: () => Promise.resolve("read") })).toBe("read");
  const act = client.getMutationCache().build(client, client.defaultMutationOptions({ mutationFn: () => Promise.resolve("done") }));
  expect(await act.execute(undefined)).toBe("done");
});

it("keeps nothing of what was sent", async () => {
  const client = newQueryClient();
  const cache = client.getMutationCache();
  await cache.build(client, client.defaultMutationOptions({ mutationFn: (_key: string) => Promise.resolve() })).execute("a secret");
  await vi.waitFor(() => expect(cache.getAll()).toEqual([]), 10_000);
});

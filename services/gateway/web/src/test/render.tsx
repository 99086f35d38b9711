// Renders a part of the page with everything around it; `fetch` answers from a table.

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { flushSync } from "react-dom";
import { createMemoryRouter, type InitialEntry, RouterProvider } from "react-router";
import { vi } from "vitest";
import { newQueryClient } from "@/api/query";
import { theme } from "@/theme";

type Body = unknown;
type Answer = Body | ((body: Body, url: URL) => Body | Response);

interface Sent {
  method: string;
  path: string;
  query: Record<string, string>;
  body: Body;
  headers: Headers;
}

const log: Sent[] = [];

/** Every request so far, of this test. */
export const sent = (method?: string): Sent[] => log.filter((one) => !method || one.method === method);

/** A problem document, as the gateway answers it. */
export const problem = (status: number, detail: string, more: object = {}): Response =>
  Response.json({ status, detail, title: "", type: "", correlation_id: "c0ffee", ...more }, { status });

/** `answers` by method and path: `{ "GET /api/bots": { items: [] } }`; what is not there is a 404. */
export function answering(answers: Record<string, Answer>): void {
  log.length = 0;
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.clone().text();
    const body: Body = text ? JSON.parse(text) : undefined;
    log.push({ method: request.method, path: url.pathname, query: Object.fromEntries(url.searchParams), body, headers: request.headers });
    const answer = answers[`${request.method} ${url.pathname}`];
    if (answer === undefined) return problem(404, `there is nothing at ${url.pathname}`);
    const made: Body = await (typeof answer === "function" ? (answer as (b: Body, u: URL) => Body)(body, url) : answer);
    return made instanceof Response ? made : Response.json(made);
  });
}

/** Render with providers, on an address. */
export function show(node: ReactNode, answers: Record<string, Answer> = {}, path: InitialEntry = "/") {
  answering(answers);
  const client = newQueryClient();
  client.setDefaultOptions({ queries: { retry: false }, mutations: { retry: false } });
  const router = createMemoryRouter([{ path: "*", element: node }], { initialEntries: [path] });
  return render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        <RouterProvider router={router} flushSync={(draw) => (flushSync(draw), undefined)} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

// The one way to the REST interface. The session is a cookie that scripts cannot read.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const TIMEOUT_MS = 30_000;

interface FieldProblem {
  field: string;
  message: string;
  line?: number | null;
  column?: number | null;
}

interface Problem {
  detail?: string;
  advice?: string | null;
  correlation_id?: string;
  errors?: FieldProblem[] | null;
}

/** Why a request was not done, in words; status 0: nobody answered. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly advice: string | null;
  readonly requestId: string | null;
  readonly fields: FieldProblem[];

  constructor(
    readonly status: number,
    message: string,
    problem: Problem = {},
  ) {
    super(message);
    this.advice = problem.advice ?? null;
    this.requestId = problem.correlation_id ?? null;
    this.fields = problem.errors ?? [];
  }
}

/** Whether the gateway said no, so that nothing was done; after any other failure it may have been. */
export const refused = (error: Error | null): boolean => error instanceof ApiError && error.status >= 400 && error.status < 500;

async function reach(request: Request): Promise<Response> {
  try {
    return await globalThis.fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  } catch (error) {
    if (request.signal.aborted) throw error;
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiError(
      0,
      late ? `The gateway did not answer within ${TIMEOUT_MS / 1000} seconds.` : "The gateway cannot be reached.",
      { advice: "Check that it runs and that this machine reaches it, then try again." },
    );
  }
}

/** Typed by the description of the interface: `api.GET("/api/orders", { params: { query: { limit: 50 } } })`. */
export const api = createClient<paths>({
  baseUrl: location.origin,
  fetch: reach,
  // The session's cookie changes nothing without a JSON content type, so even an empty body says it is JSON.
  headers: { "Content-Type": "application/json" },
});

/** What was answered, or the problem as an `ApiError`. */
export async function must<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const problem: Problem = typeof error === "object" && error !== null ? error : {};
  const detail = problem.detail ?? `The gateway answered ${response.status} ${response.statusText}`.trim();
  throw new ApiError(response.status, detail, {
    ...problem,
    correlation_id: problem.correlation_id ?? response.headers.get("X-Request-Id") ?? undefined,
  });
}

import { describe, expect, it, vi } from "vitest";
import { api, ApiError, must } from "@/api/client";
import { answering, problem, sent } from "./render";

describe("must", () => {
  it("answers what the interface answers, asked as JSON", async () => {
    answering({ "PUT /api/kill-switch": (body: unknown) => body });
    const body = { everything: true, reason: "test" };
    expect(await must(api.PUT("/api/kill-switch", { body }))).toEqual(body);
    expect(sent("PUT")[0]?.headers.get("content-type")).toBe("application/json");
  });

  it("says JSON for a request without a body too, or the cookie would not count", async () => {
    answering({ "POST /api/auth/logout": () => new Response(null, { status: 204 }) });
    await must(api.POST("/api/auth/logout"));
    expect(sent("POST")[0]?.headers.get("content-type")).toBe("application/json");
  });

  it("turns a problem document into words, advice, fields and an id", async () => {
    const fields = [{ field: "password", message: "is missing" }];
    answering({ "GET /api/bots": () => problem(422, "password: is missing", { advice: "Send it.", errors: fields }) });
    const error: unknown = await must(api.GET("/api/bots")).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, message: "password: is missing", advice: "Send it.", requestId: "c0ffee", fields });
  });

  it("says in words that nobody answers", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
    await expect(must(api.GET("/api/bots"))).rejects.toMatchObject({ status: 0, message: "The gateway cannot be reached." });
  });

  it("survives an answer that is no problem document", async () => {
    answering({ "GET /api/bots": () => new Response("<html>bad gateway</html>", { status: 502, statusText: "Bad Gateway" }) });
    await expect(must(api.GET("/api/bots"))).rejects.toMatchObject({ status: 502, message: "The gateway answered 502 Bad Gateway" });
  });
});

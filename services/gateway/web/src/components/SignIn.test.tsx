import { Modal, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { api, must } from "@/api/client";
import { setSessionOver } from "@/api/session";
import { useMe } from "@/api/shared";
import { problem, sent, show } from "@/test/render";
import { SignInDialog } from "./SignIn";

const ANN = { username: "ann", role: "admin" };

function Typing() {
  const me = useMe();
  const [asking, setAsking] = useState(true);
  const bots = useQuery({ queryKey: ["bots"], queryFn: () => must(api.GET("/api/bots")), enabled: me.data !== undefined });
  return (
    <>
      <TextInput label="Prompt" />
      <button type="button" onClick={() => void bots.refetch()}>Look</button>
      <Modal opened={asking} onClose={() => setAsking(false)} title="Stop?">Why</Modal>
      <SignInDialog />
    </>
  );
}

describe("a session that ends under an open page", () => {
  afterEach(() => setSessionOver(false));

  it("asks to sign in over the page, and goes on with what was typed", async () => {
    let over = false;
    show(<Typing />, {
      "GET /api/auth/me": ANN,
      "GET /api/bots": () => (over ? problem(401, "not signed in") : { items: [] }),
      "POST /api/auth/session": (body: unknown) => {
        if ((body as { password: string }).password !== "right") return problem(401, "not signed in");
        over = false;
        return ANN;
      },
    });
    await userEvent.type(screen.getByLabelText("Prompt"), "half a thought");
    await waitFor(() => expect(sent("GET").map((one) => one.path)).toContain("/api/bots"));
    over = true;
    await userEvent.click(screen.getByText("Look"));
    const dialog = within(await screen.findByRole("dialog", { name: "Sign in again" }));
    expect(dialog.getByRole("textbox", { name: "User name" })).toHaveValue("ann");
    await userEvent.type(dialog.getByLabelText(/^Password/), "wrong{Escape}{Enter}");
    expect(await dialog.findByRole("alert")).toHaveTextContent("The user name or the password is not right");
    const before = sent("GET").length;
    await userEvent.clear(dialog.getByLabelText(/^Password/));
    await userEvent.type(dialog.getByLabelText(/^Password/), "right{Enter}");
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Sign in again" })).not.toBeInTheDocument());
    expect(screen.getByRole("dialog", { name: "Stop?" })).toBeInTheDocument();
    expect(screen.getByLabelText("Prompt")).toHaveValue("half a thought");
    expect(sent("GET").length).toBeGreaterThan(before);
  });
});

import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { describe, expect, it } from "vitest";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { FormDialog, useClosing } from "@/components/FormDialog";
import { show } from "./render";

function Form() {
  const [text, setText] = useState("");
  const [asking, setAsking] = useState(false);
  useClosing(() => (text ? "asking" : "freely"));
  return (
    <>
      <input aria-label="Name" value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <button onClick={() => setAsking(true)}>Go live</button>
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title="Sure?" confirm="Yes" act={() => Promise.resolve()}>
        It goes live.
      </ConfirmDialog>
    </>
  );
}

function Page({ drawer }: { drawer: boolean }) {
  const [opened, setOpened] = useState(true);
  return <FormDialog opened={opened} onClose={() => setOpened(false)} title="A form" drawer={drawer}><Form /></FormDialog>;
}

/** Opened by a link, as the address has it. */
function Addressed() {
  const [params, setParams] = useSearchParams();
  const navigate = useNavigate();
  return (
    <>
      <Link to="/?bot=mine">Edit</Link>
      <button onClick={() => void navigate(-1)}>Back</button>
      <FormDialog opened={params.has("bot")} onClose={() => setParams({})} title="A form"><Form /></FormDialog>
    </>
  );
}

const field = () => screen.queryByRole("textbox", { name: "Name" });
const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

describe.each([["dialog", false], ["drawer", true]])("a form in a %s", (_kind, drawer) => {
  it("closes freely while nothing is typed", async () => {
    show(<Page drawer={drawer} />);
    await screen.findByRole("textbox", { name: "Name" });
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(field()).toBeNull());
  });

  it("is not lost by a click beside it, and asks before what was typed is", async () => {
    show(<Page drawer={drawer} />);
    await userEvent.type(await screen.findByRole("textbox", { name: "Name" }), "Mine");
    const outside = [...document.querySelectorAll(".mantine-Modal-inner, .mantine-Drawer-inner, .mantine-Modal-overlay, .mantine-Drawer-overlay")];
    expect(outside).not.toEqual([]);
    for (const place of outside) await userEvent.click(place);
    expect(screen.queryByText("Leave without saving?")).toBeNull();
    await userEvent.keyboard("{Escape}");
    await screen.findByText("Leave without saving?");
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByText("Leave without saving?")).toBeNull());
    expect(field()).toHaveValue("Mine");
    await press("Close");
    await press("Keep editing");
    expect(field()).toHaveValue("Mine");
    await press("Close");
    await press("Discard it");
    await waitFor(() => expect(field()).toBeNull());
  });

  it("stays while a question over it is open", async () => {
    show(<Page drawer={drawer} />);
    await screen.findByRole("textbox", { name: "Name" });
    await press("Go live");
    await screen.findByText("It goes live.");
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByText("It goes live.")).toBeNull());
    expect(field()).toBeVisible();
  });
});

describe("the way back", () => {
  const back = () => userEvent.click(screen.getByRole("button", { name: "Back" }));
  const opened = async () => {
    show(<Addressed />);
    await userEvent.click(screen.getByRole("link", { name: "Edit" }));
    return await screen.findByRole("textbox", { name: "Name" });
  };

  it("closes a form while nothing is typed", async () => {
    await opened();
    await back();
    await waitFor(() => expect(field()).toBeNull());
  });

  it("asks before what was typed is lost", async () => {
    await userEvent.type(await opened(), "Mine");
    await back();
    await screen.findByText("Leave without saving?");
    await press("Keep editing");
    await waitFor(() => expect(screen.queryByText("Leave without saving?")).toBeNull());
    expect(field()).toHaveValue("Mine");
    await back();
    await screen.findByText("Leave without saving?");
    await press("Discard it");
    await waitFor(() => expect(field()).toBeNull());
    expect(screen.queryByText("Leave without saving?")).toBeNull();
  });

  it("does not take away a form over which a question is open", async () => {
    await opened();
    await press("Go live");
    await screen.findByText("It goes live.");
    await back();
    await waitFor(() => expect(screen.getByText("It goes live.")).toBeVisible());
    expect(screen.queryByText("Leave without saving?")).toBeNull();
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByText("It goes live.")).toBeNull());
    expect(field()).toBeVisible();
  });
});

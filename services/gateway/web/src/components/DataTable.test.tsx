import { useQueryClient } from "@tanstack/react-query";
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { show } from "@/test/render";
import { type Column, DataTable } from "./DataTable";

interface Row {
  id: string;
  state: string;
}

const HEIGHT = 400;
const COLUMNS: Column<Row>[] = [{ id: "state", header: "State", cell: (row) => `${row.id} ${row.state}`, width: "90px" }];
const opened = vi.fn();
let list: Row[] = [];
let refresh = async () => {};
let kept = 0;
let broken = "";

const rows = (count: number, state = "accepted"): Row[] => Array.from({ length: count }, (_, number) => ({ id: `r${number}`, state }));

/** Pages after a row, as the gateway cuts them. */
async function read({ symbol }: { symbol: string }, cursor: string | undefined, limit: number) {
  if (cursor && symbol === broken) throw new Error("it is not running");
  const from = cursor === undefined ? 0 : list.findIndex((row) => row.id === cursor) + 1;
  const items = list.slice(from, from + limit);
  return { items, next_cursor: from + limit < list.length ? items.at(-1)?.id : null };
}

function Orders() {
  const [symbol, setSymbol] = useState("AAPL");
  const client = useQueryClient();
  refresh = () => client.invalidateQueries({ queryKey: ["orders"] });
  client.getQueryCache().subscribe(() => {
    kept = client.getQueryData<{ rows: Row[] }>(["orders", "rows", JSON.stringify({ symbol })])?.rows.length ?? 0;
  });
  return (
    <>
      <button onClick={() => setSymbol("MSFT")}>Other symbol</button>
      <DataTable label="Orders" topic="orders" params={{ symbol }} load={read} columns={COLUMNS} empty="None." onOpen={opened} height={HEIGHT} />
      <button>After the table</button>
    </>
  );
}

const table = () => screen.findByRole("table", { name: "Orders" });
const scroll = async (to: number) => {
  const at = await table();
  at.scrollTop = to;
  fireEvent.scroll(at);
};

beforeEach(() => {
  list = rows(300);
  broken = "";
  opened.mockClear();
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(HEIGHT);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(800);
});

describe("a long list", () => {
  it("shows what became of rows far below the newest page", async () => {
    show(<Orders />);
    await screen.findByText("r0 accepted");
    await scroll(70 * 36);
    await screen.findByText("200 rows loaded, others come as you scroll");
    await scroll(140 * 36);
    await screen.findByText("r145 accepted");
    list = [{ id: "new", state: "planned" }, ...rows(300, "filled")];
    await act(refresh);
    expect(await screen.findByText("r145 filled")).toBeInTheDocument();
    expect(screen.queryByText(/accepted/)).not.toBeInTheDocument();
  });

  it("keeps one page while somebody is at its top, however many rows come", async () => {
    show(<Orders />);
    await screen.findByText("r0 accepted");
    for (let more = 1; more <= 5; more++) {
      list = [...Array.from({ length: 60 }, (_, number) => ({ id: `n${more}-${number}`, state: "planned" })), ...list];
      await act(refresh);
      await screen.findByText(`n${more}-0 planned`);
    }
    expect(kept).toBe(100);
  });

  it("says that no more could be read only where it is so", async () => {
    broken = "AAPL";
    show(<Orders />);
    await screen.findByText("r0 accepted");
    await scroll(70 * 36);
    expect(await screen.findByRole("alert")).toHaveTextContent("it is not running");
    list = rows(300, "filled");
    await userEvent.click(screen.getByRole("button", { name: "Other symbol" }));
    await screen.findByText("r0 filled");
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  it("lets go of what was scrolled past once somebody is back at the top", async () => {
    show(<Orders />);
    await screen.findByText("r0 accepted");
    await scroll(70 * 36);
    await screen.findByText("200 rows loaded, others come as you scroll");
    await scroll(0);
    await screen.findByText("r0 accepted");
    await act(refresh);
    expect(await screen.findByText("100 rows loaded, others come as you scroll")).toBeInTheDocument();
  });

  it("that is held still is read for other filters, and then held again", async () => {
    show(<Orders />);
    await screen.findByText("r0 accepted");
    await userEvent.click(screen.getByRole("switch", { name: "Live" }));
    list = rows(3, "filled");
    await act(refresh);
    expect(screen.getByText("r0 accepted")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Other symbol" }));
    expect(await screen.findByText("r0 filled")).toBeInTheDocument();
    list = rows(3, "canceled");
    await act(refresh);
    expect(screen.getByText("r0 filled")).toBeInTheDocument();
  });
});

it("a list that is live again is read at once, also after older rows came", async () => {
  show(<Orders />);
  await screen.findByText("r0 accepted");
  await userEvent.click(screen.getByRole("switch", { name: "Live" }));
  list = rows(300, "filled");
  await act(refresh);
  await scroll(70 * 36);
  await screen.findByText("200 rows loaded, others come as you scroll · held still");
  expect(screen.getByText("r75 accepted")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("switch", { name: "Live" }));
  expect(await screen.findByText("r75 filled")).toBeInTheDocument();
});

it.each([
  [{ symbol: undefined }, "Nothing yet."],
  [{ symbol: "AAPL" }, "None fits."],
])("a list without rows says whether its filters %o may be why", async (params, words) => {
  const nothing = () => Promise.resolve({ items: [], next_cursor: null });
  show(<DataTable label="Orders" topic="orders" params={params} load={nothing} columns={COLUMNS} none="Nothing yet." empty="None fits." />);
  expect(await screen.findByText(words)).toBeInTheDocument();
});

describe("with the keyboard", () => {
  it("a table is one stop: arrows walk its rows, Enter opens one, Tab leads out", async () => {
    show(<Orders />);
    const at = await table();
    await within(at).findByText("r0 accepted");
    const focused = () => document.activeElement?.textContent;
    at.focus();
    await userEvent.keyboard("{ArrowDown}");
    expect(focused()).toBe("r0 accepted");
    await userEvent.keyboard("{ArrowDown}{PageDown}{ArrowUp}{ArrowUp}{ArrowDown}");
    expect(focused()).toBe("r10 accepted");
    await userEvent.keyboard("{Enter}");
    expect(opened).toHaveBeenCalledExactlyOnceWith(list[10]);
    await userEvent.tab();
    expect(focused()).toBe("After the table");
    await userEvent.tab({ shift: true });
    await waitFor(() => expect(at).toHaveFocus());
  });
});

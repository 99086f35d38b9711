import { useQuery } from "@tanstack/react-query";
import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { useLocation, useNavigate } from "react-router";
import { useAddress } from "@/address";
import { api, must } from "@/api/client";
import { ordered } from "@/components/Chart";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { ErrorBoundary } from "@/components/ErrorBoundary";
import { FilterBar, FilterText, useFilters } from "@/components/filters";
import { Loaded } from "@/components/Loaded";
import { SecretInput } from "@/components/SecretInput";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { leastWidth } from "@/components/TableView";
import { safeNext } from "@/pages/Login";
import { problem, sent, show } from "./render";

function Bots() {
  const query = useQuery({ queryKey: ["bots"], queryFn: () => must(api.GET("/api/bots")) });
  return (
    <Loaded query={query} height={100} empty="No bot yet. Add one.">
      {({ items }) => <p>{items.length} bots</p>}
    </Loaded>
  );
}

describe("Loaded", () => {
  it("shows a skeleton, then what came", async () => {
    show(<Bots />, { "GET /api/bots": { items: [{}, {}] } });
    expect(screen.getByRole("status", { name: "Loading" })).toBeInTheDocument();
    expect(await screen.findByText("2 bots")).toBeInTheDocument();
  });

  it("says what is missing and what to do when there is nothing", async () => {
    show(<Bots />, { "GET /api/bots": { items: [] } });
    expect(await screen.findByText("No bot yet. Add one.")).toBeInTheDocument();
  });

  it("says what went wrong, with the request's id, and tries again", async () => {
    let fails = true;
    show(<Bots />, { "GET /api/bots": () => (fails ? problem(409, "the books disagree", { advice: "Look." }) : { items: [{}] }) });
    expect(await screen.findByRole("alert")).toHaveTextContent("the books disagreeLook.Request c0ffee");
    fails = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("1 bots")).toBeInTheDocument();
  });
});

function Asking({ act }: { act: () => Promise<unknown> }) {
  const [opened, setOpened] = useState(true);
  return (
    <ConfirmDialog opened={opened} onClose={() => setOpened(false)} title="Stop?" confirm="Stop" word="STOP" act={act}>
      It stops.
    </ConfirmDialog>
  );
}

describe("ConfirmDialog", () => {
  it("acts only after the word was typed, and closes then", async () => {
    const act = vi.fn().mockResolvedValue(undefined);
    show(<Asking act={act} />);
    const button = await screen.findByRole("button", { name: "Stop" });
    expect(button).toBeDisabled();
    await userEvent.type(screen.getByRole("textbox", { name: "Type STOP to confirm" }), "STOP{Enter}");
    await waitFor(() => expect(screen.queryByText("It stops.")).not.toBeInTheDocument());
    expect(act).toHaveBeenCalledTimes(1);
  });

  it("cannot be closed while it acts: its outcome is seen", async () => {
    let fail: (why: Error) => void = () => undefined;
    show(<Asking act={() => new Promise((_, reject) => (fail = reject))} />);
    await userEvent.type(await screen.findByRole("textbox"), "STOP{Enter}");
    await userEvent.keyboard("{Escape}");
    expect(screen.getByRole("button", { name: "Close" })).toBeDisabled();
    fail(new Error("the executor is not running"));
    expect(await screen.findByRole("alert")).toHaveTextContent("the executor is not running");
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByText("It stops.")).not.toBeInTheDocument());
  });

  it("stays open and says why when it fails", async () => {
    show(<Asking act={() => Promise.reject(new Error("the executor is not running"))} />);
    await userEvent.type(await screen.findByRole("textbox"), "STOP{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("the executor is not running");
  });
});

function Filtered() {
  const [filters, setFilter] = useFilters("symbol", "action");
  return (
    <>
      <FilterBar>
        <FilterText label="Symbol" value={filters.symbol} onChange={(value) => setFilter("symbol", value)} />
      </FilterBar>
      <output>{JSON.stringify(filters)}</output>
    </>
  );
}

describe("filters", () => {
  it("come from the address and go into it once typing rests", async () => {
    show(<Filtered />, {}, "/x?symbol=IBM&action=buy");
    const field = screen.getByRole("textbox", { name: "Symbol" });
    expect(field).toHaveValue("IBM");
    await userEvent.clear(field);
    await userEvent.type(field, "AAPL");
    await waitFor(() => expect(screen.getByRole("status")).toHaveTextContent('{"symbol":"AAPL","action":"buy"}'));
  });

  it.each([
    ["/x", true],
    ["/x?chain=s1", true],
    ["/x?symbol=IBM", false],
  ])("of %s are folded away on a phone: %s", async (path, folded) => {
    show(<Filtered />, {}, path);
    const bar = screen.getByRole("search", { name: "Filters" });
    expect(bar.classList.contains("folded")).toBe(folded);
    if (folded) await userEvent.click(screen.getByRole("button", { name: "Filters" }));
    expect(bar).not.toHaveClass("folded");
    fireEvent.change(screen.getByRole("textbox", { name: "Symbol" }), { target: { value: "" } });
    await waitFor(() => expect(screen.getByRole("status")).not.toHaveTextContent("symbol"));
    expect(bar).not.toHaveClass("folded");
    const fold = screen.getByRole("button", { name: "Filters" });
    expect(fold).toHaveAttribute("aria-expanded", "true");
    await userEvent.click(fold);
    expect(bar).toHaveClass("folded");
  });

  it("lose no key that is pressed while the ones before are on their way", () => {
    vi.useFakeTimers();
    const onChange = vi.fn();
    const Field = () => {
      const [value, setValue] = useState<string | undefined>("");
      onChange.mockImplementation((next: string | null) => () => setValue(next ?? undefined));
      return <FilterText label="Symbol" value={value} onChange={onChange} />;
    };
    show(<Field />);
    const field = screen.getByRole("textbox", { name: "Symbol" });
    fireEvent.change(field, { target: { value: "AA" } });
    act(() => void vi.advanceTimersByTime(300));
    fireEvent.change(field, { target: { value: "AAP" } });
    const [first, back] = [onChange.mock.results[0]?.value, onChange.getMockImplementation()?.(null)];
    act(first);
    expect(field).toHaveValue("AAP");
    act(back);
    expect(field).toHaveValue("");
    vi.useRealTimers();
  });
});

describe("the address", () => {
  const Dialog = () => {
    const [{ bot }, set] = useAddress("bot");
    const [, setFilter] = useFilters("symbol");
    const navigate = useNavigate();
    return (
      <>
        <output>{`${useLocation().search} ${bot}`}</output>
        <button onClick={() => set({ bot: "demo" })}>Open</button>
        <button onClick={() => setFilter("symbol", "IBM")}>Filter</button>
        <button onClick={() => void navigate(-1)}>Back</button>
      </>
    );
  };
  const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

  it("keeps all else when a dialog opens, and Back closes it; of filters Back knows nothing", async () => {
    show(<Dialog />, {}, "/x?chain=c");
    await press("Open");
    expect(screen.getByRole("status")).toHaveTextContent("?chain=c&bot=demo demo");
    await press("Filter");
    expect(screen.getByRole("status")).toHaveTextContent("?chain=c&bot=demo&symbol=IBM demo");
    await press("Back");
    await waitFor(() => expect(screen.getByRole("status")).toHaveTextContent("?chain=c undefined"));
  });

  it("loses nothing that changes right after another", async () => {
    show(<Dialog />, {}, "/x");
    await act(async () => {
      fireEvent.click(screen.getByRole("button", { name: "Open" }));
      await new Promise((moved) => setTimeout(moved));
      fireEvent.click(screen.getByRole("button", { name: "Filter" }));
    });
    expect(screen.getByRole("status")).toHaveTextContent("?bot=demo&symbol=IBM demo");
  });
});

describe("a table of given rows", () => {
  const COLUMNS: Column<{ id: string; profit: number }>[] = [
    { id: "name", header: "Name", cell: (row) => row.id, width: "90px", sort: (row) => row.id },
    { id: "profit", header: "Profit", cell: (row) => row.profit, width: "90px", sort: (row) => row.profit },
    { id: "note", header: "Note", cell: () => "", width: "90px" },
  ];
  const rows = [{ id: "b", profit: 9 }, { id: "a", profit: 10 }, { id: "c", profit: -1 }];
  const names = () => screen.getAllByRole("row").slice(1).map((row) => row.firstChild?.textContent).join("");
  const press = (name: string) => userEvent.click(screen.getByRole("button", { name: new RegExp(name) }));

  it("is sorted by its headers: text from A, numbers from the largest, then the other way, then as it was", async () => {
    vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(400);
    vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(400);
    show(<SimpleTable label="Bots" rows={rows} columns={COLUMNS} />);
    await waitFor(() => expect(names()).toBe("bac"));
    const seen: string[] = [];
    for (const header of ["Name", "Name", "Profit", "Profit", "Profit"]) {
      await press(header);
      seen.push(`${names()} ${screen.getAllByRole("columnheader").map((one) => one.getAttribute("aria-sort")).join()}`);
    }
    expect(seen).toEqual(["abc ascending,none,", "cba descending,none,", "abc none,descending,", "cba none,ascending,", "bac none,none,"]);
    vi.restoreAllMocks();
  });
});

it("a panel that breaks says so and leaves the rest", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const Broken = (): never => {
    throw new Error("no such field");
  };
  show(<><ErrorBoundary what="Costs"><Broken /></ErrorBoundary><p>the rest</p></>);
  expect(screen.getByRole("alert")).toHaveTextContent("Costs cannot be shown");
  expect(screen.getByText("the rest")).toBeInTheDocument();
});

it("a secret is never shown, only how the stored one ends", () => {
  show(<SecretInput label="API key" hint="…9f3A" />);
  expect(screen.getByLabelText("API key")).toHaveValue("");
  expect(screen.getByText(/ends in …9f3A/)).toBeInTheDocument();
  expect(sent()).toEqual([]);
});

it("points of a chart are in order, one for each second, and numbers", () => {
  const points = [{ time: 3.2, value: 1 }, { time: 1, value: 2 }, { time: 3.9, value: 4 }, { time: 2, value: NaN }];
  expect(ordered(points)).toEqual([{ time: 1, value: 2 }, { time: 3, value: 4 }]);
});

it("a table is as wide as its columns need", () => expect(leastWidth(["100px", "minmax(50px, 1fr)"])).toBe(100 + 50 + 12 + 24));

it.each([["/activity?x=1", "/activity?x=1"], ["//evil.example", "/"], ["https://evil.example", "/"], ["/\\evil.example", "/"], ["/login?next=/login", "/"], [null, "/"]])(
  "after signing in %s leads to %s",
  (next, wanted) => expect(safeNext(next)).toBe(wanted),
);

"""Recomputes every book from its fills and tells where the system's own figures differ.

    python recompute.py http://127.0.0.1:8000 TOKEN

It knows the REST interface and plain arithmetic, and shares no code with the services. It prints
one JSON object: what was compared, and every difference.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, getcontext
from typing import Any

import httpx

Row = dict[str, Any]
Key = tuple[str, ...]
NOUGHT = Decimal(0)
CENT = Decimal("0.005")  # half of one: both round to the same
KEYS = {"source": ("source_type", "source_id"), "bot": ("bot",), "symbol": ("symbol",)}
COUNTED = ("fills", "trades", "wins", "losses")
MONEY = ("realised_pnl", "fees", "gross_profit", "gross_loss", "traded")


class Told:
    """What the system says."""

    def __init__(self, address: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.web = httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=20)

    def every(self, path: str, **query: str) -> list[Row]:
        """A whole list, page by page."""
        found: list[Row] = []
        more: dict[str, str] = {}
        while True:
            answer = self.web.get(path, params={"limit": "200", **query, **more})
            page = json.loads(answer.raise_for_status().text)
            found += [{**row, "at": instant(row)} for row in page["items"]]
            if not page.get("next_cursor"):
                return found
            more = {"cursor": page["next_cursor"]}

    def fills(self) -> list[Row]:
        """Oldest first; of one instant those that open first."""
        found = self.every("/api/trades")
        return sorted(found, key=lambda f: (f["at"], any(closed(s) for s in f["slices"])))


class Lot:
    """What a fill has opened, as the arithmetic here knows it."""

    def __init__(self, fill: Row, piece: Row) -> None:
        self.book = (fill["bot"], fill["account"], fill["symbol"])
        self.owner = (piece["source_type"], piece["source_id"])
        self.at = fill["at"]
        self.sign = sign_of(fill)
        self.price = Decimal(fill["price"])
        self.left = Decimal(piece["quantity"])


class Books:
    """Every book, from the fills alone."""

    def __init__(self, starting: dict[str, Decimal], fills: list[Row]) -> None:
        self.instants = Counter(fill["at"] for fill in fills)
        self.wrong: list[str] = []
        self.compared = 0
        self.starting = starting  # by account
        self.cash: dict[Key, Decimal] = {}  # by bot and account
        self.fees: dict[Key, Decimal] = defaultdict(Decimal)
        self.realised: dict[Key, Decimal] = defaultdict(Decimal)
        self.lots: dict[str, Lot] = {}
        self.sums: dict[str, dict[Key, Row]] = {by: {} for by in KEYS}
        self.history: dict[Key, list[tuple[str, Decimal, Decimal, Decimal]]] = defaultdict(list)

    def same(self, what: str, ours: Any, theirs: Any, within: Decimal = NOUGHT) -> None:
        """Note a difference."""
        self.compared += 1
        given = isinstance(ours, Decimal) and theirs is not None
        there = Decimal(theirs) if given else theirs
        if (abs(ours - there) > within) if given else ours != there:
            self.wrong.append(f"{what}: {ours} by hand, the system says {theirs}")

    def take(self, fill: Row) -> None:
        """One fill: cash, and the lots that it opens and closes."""
        book = (fill["bot"], fill["account"])
        quantity, fee = Decimal(fill["quantity"]), Decimal(fill["fee"])
        cash = self.cash.get(book, self.starting[fill["account"]])
        self.cash[book] = cash - sign_of(fill) * quantity * Decimal(fill["price"]) - fee
        self.fees[book] += fee
        asker = {"source_type": fill["source_type"], "source_id": fill["source_id"]}
        self.add(fill, asker, fills=1)
        parts = sum((Decimal(piece["quantity"]) for piece in fill["slices"]), NOUGHT)
        self.same(f"quantity of fill {fill['id']}", quantity, parts)
        for piece in sorted(fill["slices"], key=self.opened_at):
            self.share(fill, piece, fee * Decimal(piece["quantity"]) / quantity)
        self.realised[book] -= fee
        marks = (fill["at"], self.cash[book], self.realised[book], self.fees[book])
        self.history[book].append(marks)

    def opened_at(self, piece: Row) -> str:
        """When its lot was opened; one that is opened now comes last."""
        return str(self.lots[piece["lot_id"]].at) if closed(piece) else "~"

    def share(self, fill: Row, piece: Row, fee: Decimal) -> None:
        """A fill's part in one lot."""
        quantity = Decimal(piece["quantity"])
        traded = quantity * Decimal(fill["price"])
        if not closed(piece):
            self.lots[piece["lot_id"]] = Lot(fill, piece)
            self.add(fill, piece, realised_pnl=-fee, fees=fee, traded=traded)
            return
        lot = self.lots[piece["lot_id"]]
        self.same(f"owner of lot {piece['lot_id']}", lot.owner, owner_of(piece))
        self.same(f"entry of lot {piece['lot_id']}", lot.price, piece["entry_price"])
        self.in_turn(fill, lot)
        gain = (Decimal(fill["price"]) - lot.price) * quantity * lot.sign
        lot.left -= quantity
        self.same(f"rest of lot {piece['lot_id']} is at least nought", lot.left >= 0, True)
        self.same(f"side that closes lot {piece['lot_id']}", sign_of(fill), -lot.sign)
        self.realised[fill["bot"], fill["account"]] += gain
        pnl = gain - fee
        sums = {"realised_pnl": pnl, "fees": fee, "traded": traded, "trades": 1}
        kind = {"gross_profit": pnl, "wins": 1} if pnl > 0 else {"gross_loss": -pnl, "losses": 1}
        self.add(fill, piece, **sums, **kind if pnl else {})

    def in_turn(self, fill: Row, lot: Lot) -> None:
        """A source closes its own oldest lot first. Of fills of one instant nobody tells which came
        first.
        """
        alone = self.instants[fill["at"]] == 1
        if lot.owner != owner_of(fill) or fill["purpose"] == "protective" or not alone:
            return
        older = [
            other
            for other in self.lots.values()
            if other.left
            and (other.book, other.owner, other.sign) == (lot.book, lot.owner, lot.sign)
        ]
        self.same(f"first in, first out of fill {fill['id']}", min(o.at for o in older), lot.at)

    def add(self, fill: Row, owner: Row, **sums: Any) -> None:
        """To the sums by source, bot and symbol."""
        row = {**fill, **{name: owner[name] for name in KEYS["source"]}}
        for by, names in KEYS.items():
            total = self.sums[by].setdefault(
                tuple(row[name] for name in names), defaultdict(Decimal)
            )
            for name, value in sums.items():
                total[name] += value

    def open(self) -> Iterator[tuple[str, Lot]]:
        """Lots of which something is left."""
        return ((name, lot) for name, lot in self.lots.items() if lot.left)


def instant(row: Row) -> str:
    """Its time as text that sorts: a whole second comes before its fractions."""
    return str(row.get("at", "")).removesuffix("Z")


def closed(piece: Row) -> bool:
    return bool(piece["effect"] == "closed")


def sign_of(fill: Row) -> int:
    return 1 if fill["side"] == "buy" else -1


def owner_of(row: Row) -> Key:
    return row["source_type"], row["source_id"]


def compare_positions(books: Books, told: list[Row]) -> dict[str, Decimal]:
    """Every lot and every position; returns the prices by symbol."""
    theirs = {lot["id"]: (position, lot) for position in told for lot in position["lots"]}
    ours = dict(books.open())
    books.same("open lots", sorted(ours), sorted(theirs))
    held: dict[Key, Decimal] = defaultdict(Decimal)
    for name, lot in ours.items():
        held[lot.book] += lot.sign * lot.left
        if name in theirs:
            books.same(f"lot {name}", lot.sign * lot.left, theirs[name][1]["quantity"])
            books.same(f"entry of {name}", lot.price, theirs[name][1]["entry_price"])
            books.same(f"owner of {name}", lot.owner, owner_of(theirs[name][1]))
    for position in told:
        key = (position["bot"], position["account"], position["symbol"])
        books.same(f"position {key}", held[key], position["quantity"])
    return {one["symbol"]: Decimal(one["mark_price"]) for one in told if one["mark_price"]}


def compare_equity(books: Books, told: Iterable[Row], prices: dict[str, Decimal]) -> None:
    """What every bot is worth now."""
    for one in told:
        book, name = (one["bot"], one["account"]), f"of {one['bot']}"
        started = books.starting[one["account"]]
        lots = [lot for _, lot in books.open() if lot.book[:2] == book]
        by_symbol: dict[str, Decimal] = defaultdict(Decimal)
        for lot in lots:
            by_symbol[lot.book[2]] += lot.sign * lot.left * prices[lot.book[2]]
        gained = sum(
            (lot.sign * lot.left * (prices[lot.book[2]] - lot.price) for lot in lots), NOUGHT
        )
        net = sum(by_symbol.values(), NOUGHT)
        gross = sum((abs(value) for value in by_symbol.values()), NOUGHT)
        cash = books.cash.get(book, started)
        books.same(f"cash {name}", cash, one["cash"])
        books.same(f"fees {name}", books.fees[book], one["fees"])
        books.same(f"realised {name}", books.realised[book], one["realised_pnl"])
        books.same(f"unrealised {name}", gained, one["unrealised_pnl"])
        books.same(f"gross {name}", gross, one["exposure_gross"])
        books.same(f"net {name}", net, one["exposure_net"])
        books.same(f"equity {name}", cash + net, one["equity"])
        books.same(
            f"equity {name} another way", started + books.realised[book] + gained, cash + net
        )


def compare_curve(books: Books, bot: str, marks: list[Row]) -> None:
    """Every mark of a bot's curve, newest first as told."""
    account = marks[0]["account"]
    history = books.history[bot, account]
    high, deepest, place = NOUGHT, NOUGHT, 0
    last = (books.starting[account], NOUGHT, NOUGHT)
    at_fills: dict[str, set[Key]] = defaultdict(set)
    for mark in sorted(marks, key=instant):
        at, equity = mark["at"], Decimal(mark["equity"])
        while place < len(history) and history[place][0] <= at:
            last, place = history[place][1:], place + 1
        figures = tuple(Decimal(mark[name]) for name in ("cash", "realised_pnl", "fees"))
        if any(one[0] == at for one in history):
            at_fills[at].add(tuple(str(value.normalize()) for value in figures))
        else:
            books.same(f"cash, profit, fees of {bot} at {at}", last, figures)
        worth = sum((Decimal(mark[name]) for name in ("cash", "exposure_net")), NOUGHT)
        books.same(f"equity of {bot} at {at}", worth, mark["equity"])
        high = max(high, equity)
        deepest = max(deepest, (high - equity) / high)
    ends = {one[0]: one[1:] for one in history}
    for at, figures in ends.items():
        wanted = tuple(str(value.normalize()) for value in figures)
        books.same(f"a mark of {bot} after its fills at {at}", wanted in at_fills[at], True)
    books.sums["bot"][(bot,)]["max_drawdown"] = deepest


def compare_performance(books: Books, by: str, told: list[Row], prices: dict[str, Decimal]) -> None:
    """What each source, bot or symbol has earned."""
    names = KEYS[by]
    theirs = {tuple(row[name] for name in names): row for row in told}
    books.same(f"who has earned, by {by}", sorted(books.sums[by]), sorted(theirs))
    values: dict[Key, list[Decimal]] = defaultdict(list)
    for _, lot in books.open():
        row = dict(zip(("bot", "account", "symbol"), lot.book, strict=True))
        row |= dict(zip(KEYS["source"], lot.owner, strict=True))
        key = tuple(row[name] for name in names)
        values[key].append(lot.sign * lot.left * prices[lot.book[2]])
    for key, row in theirs.items():
        ours = books.sums[by].get(key, defaultdict(Decimal))
        for name in COUNTED:
            books.same(f"{name} of {key}", ours[name] + NOUGHT, row[name])
        for name in MONEY:
            books.same(f"{name} of {key}", ours[name], row[name], CENT)
        gross = sum((abs(value) for value in values[key]), NOUGHT)
        books.same(f"exposure of {key}", gross, row["exposure_gross"], CENT)
        books.same(f"net exposure of {key}", sum(values[key], NOUGHT), row["exposure_net"], CENT)
        if by == "bot":
            books.same(f"drawdown of {key}", ours["max_drawdown"], row["max_drawdown"], CENT / 50)


def counted(fill: Row) -> Decimal:
    """How much of its order a fill is: of a pair that is bought the fee is kept in units."""
    kept = fill["side"] == "buy" and "/" in fill["symbol"]
    units = Decimal(fill["fee"]) / Decimal(fill["price"]) if kept else NOUGHT
    return Decimal(fill["quantity"]) + units


def compare_orders(books: Books, fills: list[Row], orders: list[Row]) -> None:
    """An order is filled with the sum of its fills, and none of them is beyond its limit."""
    filled: dict[str, Decimal] = defaultdict(Decimal)
    limits = {o["id"]: Decimal(o["limit_price"]) for o in orders if o["limit_price"]}
    for fill in fills:
        filled[fill["order_id"]] += counted(fill)
        limit = limits.get(fill["order_id"], Decimal(fill["price"]))
        beyond = (Decimal(fill["price"]) - limit) * sign_of(fill)
        books.same(f"fill {fill['id']} is within its limit {limit}", beyond <= 0, True)
    for order in orders:
        books.same(
            f"filled of order {order['id']}", filled.pop(order["id"], NOUGHT), order["filled"]
        )
    books.same("fills without an order", sorted(filled), [])


def compare(address: str, token: str) -> Row:
    """Everything, once."""
    told = Told(address, token)
    accounts = told.every("/api/accounts")
    fills = told.fills()
    books = Books({a["id"]: Decimal(a["paper"]["starting_cash"]) for a in accounts}, fills)
    for fill in fills:
        books.take(fill)
    orders = told.every("/api/orders")
    compare_orders(books, fills, orders)
    prices = compare_positions(books, told.every("/api/positions"))
    compare_equity(books, told.every("/api/equity/now"), prices)
    marks = 0
    for (bot,) in list(books.sums["bot"]):
        curve = told.every("/api/equity", bot=bot)
        marks += len(curve)
        compare_curve(books, bot, curve)
    for by in KEYS:
        compare_performance(books, by, told.every("/api/performance", by=by), prices)
    return {
        "fills": len(fills),
        "marks": marks,
        "closed": sum(closed(piece) for fill in fills for piece in fill["slices"]),
        "open_lots": len(list(books.open())),
        "limited": sum(bool(order["limit_price"]) for order in orders),
        "pairs": sum("/" in fill["symbol"] and Decimal(fill["fee"]) > 0 for fill in fills),
        "bots": sorted(bot for (bot,) in books.sums["bot"]),
        "sources": sorted("/".join(key) for key in books.sums["source"]),
        "compared": books.compared,
        "differences": books.wrong,
    }


if __name__ == "__main__":
    getcontext().prec = 60
    print(json.dumps(compare(*sys.argv[1:3])))  # noqa: T201 - its answer

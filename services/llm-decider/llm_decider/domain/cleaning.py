"""Text that others wrote: made plain, short and quotable. It is data, whatever it says."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

CUT = " […]"  # where something was cut off
_MOST_RAW = 20_000  # characters that are looked at
_TOKEN_CHARS = 16

_MARKUP = re.compile(r"<[!/?a-zA-Z]|&[#a-zA-Z]")
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0"
)
_UNSEEN_TAGS = frozenset({"script", "style", "template", "noscript", "title", "head"})
_VOID_TAGS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_WORD = re.compile(r"\w{2,}")
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")  # with look-alikes of each other
_ORDERS = re.compile(
    r"\b(ignore|disregard|forget|override)\b.{0,40}\b(previous|prior|above|earlier|all|any|your)\b"
    r"|\bsystem prompt\b|\bnew instructions?\b|\byou (must|are now|should now)\b"
    r"|\b(assistant|system|developer|user)\s*:"
    r"|\b(respond|answer|reply|output)\b.{0,20}\b(with|only)\b|<\|?\w+\|?>|\[/?INST\]|```",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text that is fit to be quoted, and what was noticed about it, in words."""

    text: str
    flags: tuple[str, ...] = ()


def clean(raw: str, max_chars: int) -> Cleaned:
    """One line of visible text of at most `max_chars` characters. Never raises.

    Markup and what it hides is dropped, compatibility forms are folded, control and format
    characters are removed, white space is collapsed.
    """
    flags: list[str] = []
    text = raw[:_MOST_RAW]
    if _MARKUP.search(text):
        text, hidden = _visible(text)
        flags += ["hidden text was dropped"] * hidden
    text = unicodedata.normalize("NFKC", text)
    kept = "".join(char for char in text if _is_kept(char))
    if len(kept) != len(text):
        flags.append("invisible characters were removed")
    text = " ".join(kept.split())
    if any(_mixes_scripts(word) for word in _WORD.findall(text)):
        flags.append("a word mixes alphabets")
    if _ORDERS.search(text):
        flags.append("it reads like an instruction")
    if len(text) > max_chars or len(raw) > _MOST_RAW:
        text = text[: max_chars - len(CUT)].rstrip() + CUT
        flags.append("it was cut")
    return Cleaned(text, tuple(flags))


def fence_token(nonce: str, text: str) -> str:
    """A token for the fence around `text` that does not occur in it; the same for the same two."""
    for attempt in range(len(text) + 1):  # at most one token begins at each place of the text
        token = hashlib.sha256(f"fence|{nonce}|{attempt}".encode()).hexdigest()[:_TOKEN_CHARS]
        if token not in text:
            return token
    raise AssertionError("more tokens occur in a text than it has characters")


def quoted(items: Sequence[Mapping[str, str]]) -> str:
    """Items as one JSON object a line: quotes and line ends inside are escaped."""
    return "\n".join(json.dumps(dict(item), ensure_ascii=False) for item in items)


def fenced(quotation: str, token: str) -> str:
    """Quoted material between the two lines that the rules tell of."""
    return f"<<<DATA {token}\n{quotation}\nDATA {token}>>>"


class _Visible(HTMLParser):
    """Collects the text that a browser would show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = False
        self._unseen: list[str] = []  # open elements from the first that is not shown

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(" ")
        if tag in _VOID_TAGS:
            return
        if self._unseen or tag in _UNSEEN_TAGS or _hides(attrs):
            self._unseen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(" ")
        if tag in self._unseen:
            while self._unseen.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._unseen:
            self.hidden = self.hidden or bool(data.strip())
        else:
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        self.hidden = self.hidden or bool(data.strip())


def _visible(text: str) -> tuple[str, bool]:
    """What a browser would show of this, and whether something was hidden."""
    parser = _Visible()
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError):  # the parser gives up on some malformed declarations
        return re.sub(r"<[^>]*>?", " ", text), True
    return "".join(parser.parts), parser.hidden


def _hides(attributes: Sequence[tuple[str, str | None]]) -> bool:
    known = dict(attributes)
    return (
        "hidden" in known
        or (known.get("aria-hidden") or "").lower() == "true"
        or bool(_HIDING.search((known.get("style") or "").lower()))
    )


def _is_kept(char: str) -> bool:
    """Whether a reader sees it, or it separates words."""
    if char in "\n\t\r":
        return True
    if "\ufe00" <= char <= "\ufe0f" or "\U000e0000" <= char <= "\U000e01ef":
        return False  # variation selectors and tags
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _mixes_scripts(word: str) -> bool:
    if word.isascii():
        return False
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in word if char.isalpha()}
    return len(scripts.intersection(_SCRIPTS)) > 1

"""How many tokens a text has, and how many of them a provider would have kept from before."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_CHARS_PER_TOKEN = 3
_KEPT = 64  # prompts that are remembered
_BLOCK = 128  # tokens; what is found again counts in whole blocks


def tokens(text: str) -> int:
    """Tokens of a text, roughly as tables of numbers have them."""
    return -(-len(text) // _CHARS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Counted:
    """The input of one call."""

    total: int
    read: int = 0  # of it found in the cache
    written: int = 0  # of it written to the cache


@dataclass(slots=True)
class PromptCache:
    """Remembers prompts for a while. The shortest prefix that is kept is in tokens."""

    least: int
    lifetime_s: float
    clock: Callable[[], float] = time.monotonic
    _texts: OrderedDict[str, tuple[str, float]] = field(default_factory=OrderedDict)

    def marked(self, model: str, prefix: str, rest: str) -> Counted:
        """A prompt whose prefix is marked to be kept; an empty one is not."""
        total, size = tokens(prefix) + tokens(rest), tokens(prefix)
        if size < self.least:
            return Counted(total)
        known = self._recall(model, prefix)
        self._keep(model, prefix)
        return Counted(total, read=size) if known else Counted(total, written=size)

    def whole(self, model: str, prompt: str) -> Counted:
        """A prompt that is kept as it is, at no charge, and found again by any common prefix."""
        alive = [text for name, text in self._alive() if name.startswith(f"{model}|")]
        common = max((_common(text, prompt) for text in alive), default=0)
        size = common // _CHARS_PER_TOKEN // _BLOCK * _BLOCK
        self._keep(model, prompt)
        return Counted(tokens(prompt), read=size if size >= self.least else 0)

    def _alive(self) -> Sequence[tuple[str, str]]:
        now = self.clock()
        return [(name, text) for name, (text, until) in self._texts.items() if until > now]

    def _recall(self, model: str, text: str) -> bool:
        return any(name == _name(model, text) for name, _ in self._alive())

    def _keep(self, model: str, text: str) -> None:
        name = _name(model, text)
        self._texts[name] = (text, self.clock() + self.lifetime_s)
        self._texts.move_to_end(name)
        while len(self._texts) > _KEPT:
            self._texts.popitem(last=False)


def _name(model: str, text: str) -> str:
    return f"{model}|{hashlib.sha256(text.encode()).hexdigest()}"


def _common(one: str, other: str) -> int:
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[:middle] == other[:middle]:
            least = middle
        else:
            most = middle - 1
    return least

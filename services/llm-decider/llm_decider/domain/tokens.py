"""A guess of how many tokens a question is, for a page; a budget takes the bound of `costs`.

No provider's vocabulary is at hand here, so words, groups of digits and signs are counted.
"""

import json
import re

from llm_decider.domain.costs import most_tokens_in
from llm_decider.domain.shapes import Question

_PIECE = re.compile(r"[A-Za-z]{1,7}|[0-9]{1,3}|[!-/:-@\[-`{-~]{1,2}|[^\x00-\x7f]| {2,}|\n+")


def estimated(question: Question) -> int:
    """Input tokens that a question is likely to have; never above the bound."""
    texts = question.system, question.user, json.dumps(dict(question.schema), ensure_ascii=False)
    likely = sum(1 for text in texts for _ in _PIECE.finditer(text))
    return min(likely, most_tokens_in(question))

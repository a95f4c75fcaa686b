"""What a model is asked to make a follow-up question stand alone. One model answers it; nobody judges it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

from automix_graph.prompts.files import read_text
from automix_graph.prompts.quoting import as_data
from automix_graph.prompts.template import Template
from automix_graph.prompts.turns import Role, Turn

_SPEAKERS: Final[dict[str, dict[Role, str]]] = {
    "en": {"user": "User", "assistant": "Assistant", "system": "System"},
    "zh": {"user": "用户", "assistant": "助手", "system": "系统"},
}
_FALLBACK: Final = "en"
"""For languages of the user's own: the task says that the language of the question stays."""
_MOST_TURNS: Final = 12
_LONGEST_TURN: Final = 2000


def condense_turns(earlier: Sequence[Turn], question: str, *, language: str) -> tuple[Turn, ...]:
    """Return the chat that asks for a question that stands alone.

    The last turns are shown, each cut to a length at which its subject is still plain.

    Args:
        earlier: what was said before, oldest first.
        question: the follow-up, in words.
        language: of the prompt.

    Example:
        >>> said = [Turn.user("Who was James Watt?"), Turn("assistant", "An engineer.")]
        >>> print(condense_turns(said, "When did he die?", language="en")[0].text.split("Task:")[0])
        Conversation:
        User: Who was James Watt?
        Assistant: An engineer.
        <BLANKLINE>
        Last question: When did he die?
        <BLANKLINE>
        <BLANKLINE>
    """
    known = language if language in _SPEAKERS else _FALLBACK
    speakers, colon = _SPEAKERS[known], "：" if known == "zh" else ": "
    lines = [f"{speakers[turn.role]}{colon}{as_data(turn.text[:_LONGEST_TURN])}" for turn in earlier[-_MOST_TURNS:]]
    return (Turn.user(_template(known).render(conversation="\n".join(lines), question=as_data(question))),)


@cache
def _template(language: str) -> Template:
    file = resources.files("automix_graph.prompts") / language / "condense.txt"
    text = read_text(file, what=f"the prompt {language}/condense.txt")
    return Template(name="condense.txt", text=text, placeholders=frozenset({"conversation", "question"}))

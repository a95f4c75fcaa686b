"""From turns of a prompt to LangChain's messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from automix_graph.prompts import Turn
from automix_graph.prompts.turns import Role

_KINDS: Final[dict[Role, type[BaseMessage]]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


def as_messages(turns: Iterable[Turn]) -> list[BaseMessage]:
    """Return the messages that say the same.

    Example:
        >>> [message.type for message in as_messages([Turn("system", "Be brief."), Turn("user", "Who?")])]
        ['system', 'human']
    """
    return [_KINDS[turn.role](content=turn.text) for turn in turns]

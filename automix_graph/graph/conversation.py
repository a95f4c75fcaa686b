"""Which question a call asks, and what was said before it.

A question that is given as ``question`` stands alone. Given ``messages``, the last human message is the question, and
the conversation is kept on the thread, together with the answers that were committed. This module asks no model.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, convert_to_messages

from automix_graph.errors import ConfigurationError
from automix_graph.graph.state import AutomixState, Update


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question with what was said before it.

    Attributes:
        question: in words.
        message_id: of the message that asks; None where the question was given as ``question``.
        messages: of this call, with ids; empty for a question that stands alone.
        earlier: what was said before, on this thread and in this call, oldest first.
    """

    question: str
    message_id: str | None = None
    messages: tuple[BaseMessage, ...] = ()
    earlier: tuple[BaseMessage, ...] = ()

    @classmethod
    def of(cls, state: AutomixState) -> Asked:
        """Read the question from the input of a call.

        Raises:
            ConfigurationError: there is none that can be asked.
        """
        question = state.get("question")
        if question is not None or not state.get("messages"):
            return cls(question=checked_question(question))
        given: Any = state["messages"]
        messages = _with_ids(given if isinstance(given, list) else [given])
        asking = next((place for place in reversed(range(len(messages))) if messages[place].type == "human"), None)
        if asking is None:
            raise ConfigurationError(
                "messages hold no human message; the last one of these is the question", code="bad-question"
            )
        message = messages[asking]
        known = {message.id for message in messages}
        before = [said for said in state.get("conversation") or () if said.id not in known]
        return cls(
            question=checked_question(str(message.text)),
            message_id=message.id,
            messages=messages,
            earlier=(*before, *messages[:asking]),
        )

    @property
    def kept(self) -> Update:
        """What the conversation of the thread gains before the answer."""
        return {"conversation": list(self.messages)} if self.messages else {}


def answered(state: AutomixState, *, message_id: str | None, answer: AIMessage) -> Update:
    """Return what the output and the thread gain by an answer.

    Args:
        state: before it.
        message_id: of the message that asked; None for a question that stands alone, which leaves no conversation.
        answer: the committed answer.
    """
    if message_id is None:
        return {"messages": [answer]}
    said: Sequence[AnyMessage] = state.get("conversation") or ()
    return {"messages": [*said, answer], "conversation": [answer]}


def checked_question(question: object) -> str:
    """Return a question that can be asked.

    Raises:
        ConfigurationError: it is no text, or blank.
    """
    if not isinstance(question, str) or not question.strip():
        raise ConfigurationError(
            f"question is {question!r}; invoke the graph with {{'question': TEXT}}, where TEXT is a string that is "
            "not empty, or with {'messages': [...]}, of which the last human message is the question",
            code="bad-question",
        )
    return question


def _with_ids(messages: Sequence[object]) -> tuple[BaseMessage, ...]:
    try:
        read = convert_to_messages(messages)  # type: ignore[arg-type]  # what is no message is refused below
    except (TypeError, ValueError, NotImplementedError, KeyError) as error:
        raise ConfigurationError(
            f"messages cannot be read ({type(error).__name__}); give LangChain messages, or dicts with role and "
            "content",
            code="bad-question",
        ) from error
    return tuple(
        message if message.id is not None else message.model_copy(update={"id": str(uuid.uuid4())}) for message in read
    )

"""The node that makes a follow-up question stand alone, so that it is searched for and judged without what was said.

It is there only where it was asked for. If the model fails, or writes no question, the question stays as it was asked:
what is then retrieved may miss the point, and the judge sees the same documents.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.graph.call_settings import settings_of
from automix_graph.graph.conversation import Asked
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.node import Node
from automix_graph.graph.progress import emit
from automix_graph.graph.retrieve import start_record
from automix_graph.graph.state import AutomixState, Update
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model
from automix_graph.models.messages import as_messages
from automix_graph.prompts import PromptChoice
from automix_graph.prompts.condensing import condense_turns
from automix_graph.prompts.turns import Role, Turn
from automix_graph.records import Record

CONDENSE: Final = "condense"
"""The node, and the stage of its calls."""

_ROLES: Final[dict[str, Role]] = {"human": "user", "ai": "assistant", "system": "system"}
_LONGEST: Final = 1000
"""Characters; what is longer is no question, but a model that rambles."""


def condense_node(model: NamedModel, *, prompts: PromptChoice, limiting: Limiting) -> Node:
    """Make the node; a question with nothing before it passes through without a call.

    Args:
        model: who writes the question.
        prompts: to choose the language from.
        limiting: what it may cost.
    """

    def begin(state: AutomixState, config: RunnableConfig) -> tuple[Asked, Record, list[BaseMessage]]:
        asked = Asked.of(state)
        record = start_record(asked.question, prompts, language=settings_of(config).language)
        record = dataclasses.replace(record, message_id=asked.message_id)
        earlier = [
            Turn(_ROLES[said.type], text) for said in asked.earlier if said.type in _ROLES and (text := str(said.text))
        ]
        if not earlier:
            return asked, record, []
        return asked, record, as_messages(condense_turns(earlier, asked.question, language=record.language))

    def finish(asked: Asked, record: Record, attempt: Attempt | None) -> Update:
        if attempt is not None:
            question = _question_of(attempt) or asked.question
            emit("condensed", question=question)
            record = dataclasses.replace(record, question=question).adding(calls=limiting.prices.charge(attempt.calls))
            limiting.check(record.calls)
        return {**asked.kept, "record": record.seal()}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        asked, record, messages = begin(state, config)
        with limiting.over(record):
            attempt = call_model(model, messages, stage=CONDENSE, config=config) if messages else None
        return finish(asked, record, attempt)

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        asked, record, messages = begin(state, config)
        with limiting.over(record):
            attempt = await acall_model(model, messages, stage=CONDENSE, config=config) if messages else None
        return finish(asked, record, attempt)

    return Node(CONDENSE, body, abody, streams=False)


def _question_of(attempt: Attempt) -> str | None:
    lines = [line.strip() for line in attempt.text.splitlines() if line.strip()]
    usable = attempt.error is None and not attempt.cut_off
    return lines[0] if usable and lines and len(lines[0]) <= _LONGEST else None

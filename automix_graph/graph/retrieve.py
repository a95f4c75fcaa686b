"""The node that fetches the passages and starts the record."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.runnables import Runnable, RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.graph.call_settings import settings_of
from automix_graph.graph.conversation import Asked
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.node import Node
from automix_graph.graph.progress import emit
from automix_graph.graph.state import AutomixState, Update
from automix_graph.models.budget import arun_within, run_within
from automix_graph.prompts import PromptChoice, Prompts, well_formed
from automix_graph.records import Passage, Record


def retrieve_node(retriever: Runnable[str, list[Document]], *, prompts: PromptChoice, limiting: Limiting) -> Node:
    """Make the node that fetches the passages; it starts the record, unless the question was condensed before.

    Args:
        retriever: fetches them.
        prompts: to choose from.
        limiting: of the question's time.
    """

    def begin(state: AutomixState, config: RunnableConfig) -> tuple[Record, Update]:
        if sealed := state.get("record"):
            return Record.unseal(sealed), {}
        asked = Asked.of(state)
        record = start_record(asked.question, prompts, language=settings_of(config).language)
        return dataclasses.replace(record, message_id=asked.message_id), asked.kept

    def finish(record: Record, kept: Update, documents: object) -> Update:
        passages = tuple(_passage(document) for document in _checked_documents(documents))
        emit("retrieved", passages=len(passages))
        return {**kept, "record": dataclasses.replace(record, passages=passages).seal()}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record, kept = begin(state, config)
        found = run_within(limiting.budget(record), lambda: retriever.invoke(record.question, config))
        return finish(record, kept, found)

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record, kept = begin(state, config)
        budget = limiting.budget(record)
        return finish(record, kept, await arun_within(budget, lambda: retriever.ainvoke(record.question, config)))

    return Node("retrieve", body, abody, streams=False)


def start_record(question: str, prompts: PromptChoice, *, language: str | None = None) -> Record:
    """Return the record of a question that nobody has answered yet, and for which nothing was retrieved.

    Args:
        question: in words.
        prompts: to choose from.
        language: of the prompts; None: that of the question.

    Raises:
        ConfigurationError: there are no prompts in this language.
    """
    chosen = prompts.of_question(question) if language is None else _in_language(prompts, language)
    return Record(question=question, language=chosen.language, prompts=chosen.fingerprint, began=time.time())


def _in_language(prompts: PromptChoice, language: str) -> Prompts:
    if language not in prompts.by_language:
        raise ConfigurationError(
            f"language is {language!r}; this graph has prompts for {', '.join(map(repr, prompts.by_language))}"
        )
    return prompts.named(language)


def _checked_documents(documents: object) -> list[Document]:
    if isinstance(documents, list) and all(isinstance(document, Document) for document in documents):
        return documents
    raise ConfigurationError(
        f"the retriever returned {type(documents).__name__}; it must return a list of langchain_core Documents"
    )


def _passage(document: Document) -> Passage:
    # Through JSON, so that every checkpointer can store it: NumPy scalars become numbers, NaN (what pandas has for a
    # missing value) null, and what JSON cannot hold a text.
    plain = json.dumps(document.metadata, default=_plain)
    metadata = json.loads(plain, parse_constant=lambda name: None if name == "NaN" else name)
    return Passage(text=well_formed(document.page_content), id=document.id, metadata=metadata)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)

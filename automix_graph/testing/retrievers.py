"""A retriever for tests: the same passages for every question."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field


class StaticRetriever(BaseRetriever):
    """Return the same passages for every question.

    Args:
        texts: the passages; their ids are ``p0``, ``p1``, and so on.

    Example:
        >>> [document.id for document in StaticRetriever(["a", "b"]).invoke("anything")]
        ['p0', 'p1']
    """

    documents: list[Document] = Field(default_factory=list)

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self.documents = [
            Document(id=f"p{number}", page_content=text, metadata={"source": f"p{number}"})
            for number, text in enumerate(texts)
        ]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return list(self.documents)

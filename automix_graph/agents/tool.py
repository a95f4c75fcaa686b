"""The graph as a tool for agents: the answer with its sources for the model, all that is known of it beside that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.documents import Document
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from automix_graph.errors import ConfigurationError, ModelCallError
from automix_graph.models.calling import is_failure, kind_of, reason_of

DEFAULT_DESCRIPTION: Final = (
    "Answer a question from the documents. Ask one complete question in words, which can be understood without the "
    "conversation. Returns the answer and the sources that were read."
)
_UNCONFIRMED: Final = (
    "This answer failed a check against the documents, and no better one could be had. Say so if you use it."
)
_LONGEST_NAME: Final = 120


class AutoMixArtifact(TypedDict):
    """What the tool returns beside the text for the model, as ``ToolMessage.artifact``: plain data.

    Attributes:
        answer: the committed answer, as the model wrote it.
        route: where the question ended.
        confidence: the verifier's estimate in [0, 1] that the small answer is correct; None where it came to none.
        verdict: of the small answer.
        degraded: whether the large model failed and a rejected answer is the best there is.
        sources: the passages that all models saw, in this order, each with ``id``, ``text`` and ``metadata``.
        usage: the ledger: every call with its tokens, seconds and cost, and their sums.
        cost: of all calls, in USD; None where a price or a token count is unknown.
    """

    answer: str
    route: str
    confidence: float | None
    verdict: str
    degraded: bool
    sources: list[dict[str, Any]]
    usage: dict[str, Any]
    cost: float | None


_RESULT: Final = AutoMixArtifact.__annotations__.keys() - {"sources"} | {"documents"}


class _Arguments(BaseModel):
    question: str = Field(description="The question, in words, complete in itself.")


def create_automix_tool(
    graph: Runnable[Any, Any], *, name: str = "ask_documents", description: str = DEFAULT_DESCRIPTION
) -> BaseTool:
    """Make a tool of a graph, for ``create_agent`` and for every other agent that takes LangChain's tools.

    The agent's model reads the answer and the names of its sources; the application finds an `AutoMixArtifact` in the
    ``artifact`` of the tool's message. The agent's config goes on to the graph: callbacks, tags, thread and limits.

    A question that cannot be answered raises a `langchain_core.tools.ToolException`, whose text names the kind of the
    failure and holds no words of a provider. Set ``tool.handle_tool_error = True`` to show that text to the model
    instead.

    Args:
        graph: a compiled graph of `automix_graph.create_automix`, or a Runnable with the same input and output.
        name: by which the model calls the tool.
        description: by which the model knows when to call it; say what the documents are about.

    Raises:
        ConfigurationError: the graph cannot be invoked.

    Example:
        >>> from automix_graph import create_automix
        >>> from automix_graph.testing import ScriptedChatModel, StaticRetriever
        >>> graph = create_automix(
        ...     small=ScriptedChatModel(["In May 1974."]),
        ...     large=ScriptedChatModel(["The AI generated answer is Correct."]),
        ...     retriever=StaticRetriever(["The observatory was opened in May 1974."]),
        ... )
        >>> tool = create_automix_tool(graph, description="Answer questions about the observatory.")
        >>> print(tool.invoke({"question": "When was it opened?"}))
        In May 1974.
        <BLANKLINE>
        Sources:
        [1] p0
    """
    if not isinstance(graph, Runnable):
        raise ConfigurationError(
            f"graph is a {type(graph).__name__}, which cannot be invoked; give what create_automix(...) returns, or "
            "build_automix(...).compile()",
            code="not-a-graph",
        )

    def ask(question: str, config: RunnableConfig) -> tuple[str, AutoMixArtifact]:
        try:
            result = graph.invoke({"question": question}, config)
        except Exception as error:
            raise _told(name, error) from error
        return _content_and_artifact(result)

    async def aask(question: str, config: RunnableConfig) -> tuple[str, AutoMixArtifact]:
        try:
            result = await graph.ainvoke({"question": question}, config)
        except Exception as error:
            raise _told(name, error) from error
        return _content_and_artifact(result)

    return StructuredTool.from_function(
        func=ask,
        coroutine=aask,
        name=name,
        description=description,
        args_schema=_Arguments,
        response_format="content_and_artifact",
    )


def _told(name: str, error: Exception) -> ToolException:
    """Return what a model may be told of a failure; what means no failure is raised again."""
    if not is_failure(error):
        raise error
    if isinstance(error, ModelCallError):
        cause = error.__cause__
        kind = kind_of(cause) if isinstance(cause, Exception) else "no answer"
        return ToolException(f"{name} could not answer: {error.model} failed in {error.stage}: {kind}")
    return ToolException(f"{name} could not answer: {reason_of(error)}")


def _content_and_artifact(result: Mapping[str, Any] | None) -> tuple[str, AutoMixArtifact]:
    if result is None or (missing := _RESULT - result.keys()):
        raise ConfigurationError(
            f"graph returned no {', '.join(sorted(_RESULT if result is None else missing))}; give a graph of "
            "create_automix(...), or a Runnable whose output has all that its output has",
            code="not-a-graph",
        )
    documents: Sequence[Document] = result["documents"]
    artifact = AutoMixArtifact(
        answer=result["answer"],
        route=result["route"],
        confidence=result["confidence"],
        verdict=result["verdict"],
        degraded=result["degraded"],
        sources=[
            {"id": document.id, "text": document.page_content, "metadata": document.metadata} for document in documents
        ],
        usage=result["usage"],
        cost=result["cost"],
    )
    parts = [artifact["answer"]]
    if artifact["degraded"]:
        parts.append(_UNCONFIRMED)
    if documents:
        named = (f"[{number}] {_source_name(document)}" for number, document in enumerate(documents, start=1))
        parts.append("\n".join(("Sources:", *named)))
    return "\n\n".join(parts), artifact


def _source_name(document: Document) -> str:
    """Return what a source is called, on one line: where it comes from, else its title, else its id."""
    names = (document.metadata.get("source"), document.metadata.get("title"), document.id)
    found = next((text for name in names if name and (text := " ".join(str(name).split()))), "unnamed")
    return found if len(found) <= _LONGEST_NAME else f"{found[: _LONGEST_NAME - 1]}…"

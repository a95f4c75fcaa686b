"""``automix ask``: one question, answered from an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from rich.console import Console

from automix_graph.cli.options import (
    embedding_option,
    index_option,
    json_option,
    k_option,
    language_option,
    large_option,
    layout_option,
    search_option,
    small_option,
    verifier_option,
)
from automix_graph.cli.policy_options import policy_option
from automix_graph.errors import StoreError

if TYPE_CHECKING:
    from automix_graph.graph.build import CompiledGraph
    from automix_graph.prompts import Layout


@click.command()
@click.argument("question")
@index_option
@small_option
@large_option
@verifier_option
@policy_option
@embedding_option
@k_option
@language_option
@layout_option
@search_option
@json_option
def ask(
    question: str,
    *,
    index_dir: Path,
    small: str,
    large: str,
    verifier: str | None,
    policy: Path | None,
    embedding: str,
    k: int,
    language: str,
    layout: Layout,
    search: str,
    as_json: bool,
) -> None:
    """Answer QUESTION from the documents of an index.

    Prints the answer, its route, the verdict with its confidence, the sources, and every model call with its tokens,
    seconds and cost.
    """
    if not question.strip():
        raise click.BadParameter("it is empty", param_hint="QUESTION")
    # Imported here: they take a second, and --help must not.
    from automix_graph.cli import view
    from automix_graph.graph import create_automix
    from automix_graph.models import load_embeddings
    from automix_graph.policies import load_policy
    from automix_graph.retrieval import FaissStore
    from automix_graph.retrieval.manifest import Manifest

    # Both refuse what is none, before models are loaded.
    Manifest.read(index_dir)
    saved = None if policy is None else load_policy(policy)
    with (
        Console(stderr=True).status("loading the index") as status,
        FaissStore.open(index_dir, load_embeddings(embedding)) as store,
    ):
        if not len(store):
            raise StoreError(f"the index {str(index_dir)!r} holds no passages; add some: automix index PATH… --out DIR")
        status.update("loading the models")
        graph = create_automix(
            small=small,
            large=large,
            verifier=verifier,
            policy=saved,
            retriever=store.as_retriever(search_type=search, search_kwargs={"k": k}),
            language=language,
            layout=layout,
        )
        result = run(graph, question, status.update)
    if as_json:
        click.echo(view.as_json(question, result))
    else:
        view.show(Console(), result)


def run(graph: CompiledGraph, question: str, tell: Callable[[str], object]) -> dict[str, Any]:
    """Ask a graph, telling a status line what it does.

    Args:
        graph: made by `create_automix`.
        question: in words.
        tell: called with one line at each step.
    """
    from automix_graph.graph.state import AutomixOutput

    steps = {
        "retrieved": "the small model answers",
        "drafted": "the answer is judged",
        "escalated": "the large model answers",
    }
    tell("searching")
    result: dict[str, Any] = {}
    stream = graph.stream({"question": question}, stream_mode=["custom", "values"])
    for mode, part in cast("Iterator[tuple[str, dict[str, Any]]]", stream):
        if mode == "custom" and part["event"] in steps:
            tell(steps[part["event"]])
        elif mode == "values":
            result = part
    return {key: result[key] for key in (*AutomixOutput.__annotations__, "decision")}

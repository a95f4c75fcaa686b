"""``automix ask``: one question, answered from an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from rich.console import Console

from automix_graph.cli.fault_options import fault_options, given_faults
from automix_graph.cli.limit_options import given_limits, limit_options
from automix_graph.cli.model_options import cascade, model_options
from automix_graph.cli.options import (
    embedding_option,
    index_option,
    json_option,
    k_option,
    language_option,
    layout_option,
    search_option,
)
from automix_graph.cli.policy_options import policy_option, unchecked_option
from automix_graph.cli.price_option import price_option
from automix_graph.retrieval.opened_index import opened_index

if TYPE_CHECKING:
    from automix_graph.costs import Price
    from automix_graph.graph.build import CompiledGraph
    from automix_graph.prompts import Layout


@click.command()
@click.argument("question")
@index_option
@model_options
@policy_option
@unchecked_option
@price_option
@limit_options
@fault_options
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
    tiers: tuple[str, ...],
    verifiers: tuple[str, ...],
    policy: Path | None,
    unchecked: bool,
    given: tuple[tuple[str, Price], ...],
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
    from automix_graph.policies import load_policy

    faults = given_faults()
    models = cascade(small=small, large=large, tiers=tiers, verifiers=verifiers)
    saved = None if policy is None else load_policy(policy, check=not unchecked)
    with (
        Console(stderr=True).status("loading the index") as status,
        opened_index(index_dir, embedding, k=k, search=search) as retriever,
    ):
        status.update("loading the models")
        graph = create_automix(
            tiers=models,
            policy=saved,
            prices=dict(given),
            limits=given_limits(),
            on_large_failure=faults.on_large_failure,
            on_retriever_failure=faults.on_retriever_failure,
            retries=faults.retries,
            retriever=retriever,
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
    from automix_graph.records import Record

    steps = {
        "retrieved": "the small model answers",
        "drafted": "the {tier} answer is judged",
        "escalated": "the {tier} model answers",
    }
    tell("searching")
    result: dict[str, Any] = {}
    stream = graph.stream({"question": question}, stream_mode=["custom", "values"])
    for mode, part in cast("Iterator[tuple[str, dict[str, Any]]]", stream):
        if mode == "custom" and part["event"] in steps:
            tell(steps[part["event"]].format_map(part))
        elif mode == "values":
            result = part
    shown = [key for key in AutomixOutput.__annotations__ if key != "messages"]  # the answer once more
    decision = Record.unseal(result["record"]).decisions[-1]
    return {key: result[key] for key in shown} | {"decision": dict(vars(decision))}

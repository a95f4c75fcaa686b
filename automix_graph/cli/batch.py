"""``automix batch``: the questions of a file, answered from an index into another file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console

from automix_graph.cli.batch_options import batch_options
from automix_graph.cli.cascade_recipe import CascadeRecipe, RemoteGraph
from automix_graph.cli.engine_options import engine_options, given_engine
from automix_graph.cli.fault_options import fault_options, given_faults
from automix_graph.cli.limit_options import given_limits, limit_options
from automix_graph.cli.model_options import cascade, model_options
from automix_graph.cli.options import (
    INTERRUPTED,
    embedding_option,
    index_option,
    json_option,
    k_option,
    language_option,
    layout_option,
    search_option,
)
from automix_graph.cli.policy_options import policy_option, unchecked_option
from automix_graph.cli.price_option import price_option, require_priced
from automix_graph.cli.terminating import TERMINATED, termination_as_interrupt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from automix_graph.batch import BatchOptions, BatchReport
    from automix_graph.batch.asking import MakeGraph
    from automix_graph.batch.options import Order
    from automix_graph.costs import Price
    from automix_graph.engines import Engine
    from automix_graph.graph.build import CompiledGraph
    from automix_graph.prompts import Layout

_INCOMPLETE: Final = 1
"""Exit status where rows failed or could not be used."""
_STOPPED: Final = 3
"""Exit status where rows are left that nobody has asked about."""


@click.command()
@click.argument("data", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@index_option
@model_options
@policy_option
@unchecked_option
@limit_options
@fault_options
@batch_options
@engine_options
@price_option
@embedding_option
@k_option
@language_option
@layout_option
@search_option
@json_option
def batch(
    data: Path,
    out: Path,
    *,
    index_dir: Path,
    small: str,
    large: str,
    tiers: tuple[str, ...],
    verifiers: tuple[str, ...],
    policy: Path | None,
    unchecked: bool,
    concurrency: int | None,
    order: Order,
    max_cost: float | None,
    keep_failed: bool,
    no_question: bool,
    texts: bool,
    max_question_characters: int,
    stop_after_failures: int,
    rejects: Path | None,
    given: tuple[tuple[str, Price], ...],
    embedding: str,
    k: int,
    language: str,
    layout: Layout,
    search: str,
    as_json: bool,
) -> None:
    """Answer the questions of IN, and write a row for each to OUT.

    The answers come from the documents of an index, and OUT is JSON Lines. IN is JSON Lines, CSV or Parquet with a
    question and an id for each row; in JSON Lines the number of the line takes the place of an id that is missing. Each
    answer is on disk, in the journal OUT.journal, before it counts as done: whatever stops the command, the same
    command goes on, and asks again only about rows that failed.

    The exit status is 0 where every row is answered, 1 where rows failed or cannot be used, 3 where --max-cost or
    --stop-after-failures left rows over, 130 after Ctrl-C and 143 after SIGTERM.
    """
    # Imported here: they take a second, and --help must not.
    from automix_graph.batch import BatchOptions, settings_of
    from automix_graph.batch.options import DEFAULT_CONCURRENCY
    from automix_graph.batch.settings import unpriced
    from automix_graph.cli.batch_view import as_plain, show
    from automix_graph.models.catalog import LOCAL_PREFIX
    from automix_graph.policies import load_policy

    engine, faults = given_engine(), given_faults()
    recipe = CascadeRecipe(
        models=tuple(cascade(small=small, large=large, tiers=tiers, verifiers=verifiers)),
        index_dir=index_dir.absolute(),
        embedding=embedding,
        k=k,
        search=search,
        language=language,
        layout=layout,
        prices=dict(given),
        policy=None if policy is None else load_policy(policy, check=not unchecked),
        limits=given_limits(),
        retries=faults.retries,
        on_large_failure=faults.on_large_failure,
        on_retriever_failure=faults.on_retriever_failure,
    )
    with Console(stderr=True).status("loading the index") as status, recipe.opened() as opened:
        status.update("loading the models")
        described = opened.tiers()
        if max_cost is not None:
            require_priced(unpriced(described))
        settings = settings_of(described, recipe.policy, recipe.limits)
        graph = RemoteGraph(recipe=recipe, settings=settings) if engine.apart else opened.graph()
        status.stop()
        local = all(label.startswith(LOCAL_PREFIX) for label in described.parts.labels)
        options = BatchOptions(
            concurrency=concurrency or (1 if local else DEFAULT_CONCURRENCY),
            order=order,
            max_cost=max_cost,
            stop_after_failures=stop_after_failures,
            retry_failed=not keep_failed,
            with_question=not no_question,
            with_texts=texts,
            longest_question=max_question_characters,
            rejects=rejects,
        )
        told = {**settings, **faults.settings}
        report = run(data, out, graph, settings=told, options=options, engine=engine)
    if as_json:
        click.echo(json.dumps(as_plain(report), ensure_ascii=False, indent=2))
    else:
        show(report)
    if report.stop is not None:
        raise click.exceptions.Exit(_STOPPED)
    if not report.complete:
        raise click.exceptions.Exit(_INCOMPLETE)


def run(
    data: Path,
    out: Path,
    graph: CompiledGraph | MakeGraph,
    *,
    settings: Mapping[str, Any],
    options: BatchOptions,
    engine: Engine,
) -> BatchReport:
    """Run a batch, telling on stderr how far it is; say how to go on where Ctrl-C or SIGTERM stops it."""
    from automix_graph.batch import run_batch
    from automix_graph.cli.batch_progress import followed

    with termination_as_interrupt() as terminated:
        try:
            with followed() as follow:
                return run_batch(data, out, graph, settings=settings, options=options, progress=follow, engine=engine)
        except KeyboardInterrupt:
            what = "Terminated" if terminated() else "Interrupted"
            click.echo(f"{what}. What is done is in {out}; the same command goes on from there.", err=True)
            raise click.exceptions.Exit(TERMINATED if terminated() else INTERRUPTED) from None

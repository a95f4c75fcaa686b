"""``automix record``: a data set through all tiers, into a file of records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from automix_graph.cli.cascade_recipe import CascadeRecipe, RemoteTiers
from automix_graph.cli.engine_options import engine_options, given_engine
from automix_graph.cli.fault_options import given_retries, retry_options
from automix_graph.cli.model_options import cascade, model_options
from automix_graph.cli.options import (
    INTERRUPTED,
    embedding_option,
    json_option,
    k_option,
    language_option,
    layout_option,
    search_option,
)
from automix_graph.cli.price_option import price_option

if TYPE_CHECKING:
    from automix_graph.costs import Price
    from automix_graph.engines import Engine
    from automix_graph.graph.all_tiers import AllTiers
    from automix_graph.prompts import Layout
    from automix_graph.recording import Progress, RecordingReport, Scorer

_JUDGE: Final = "judge:"
_UNSCORED: Final = (
    "No row has answers, so nothing will be scored: policies can then aim at agreement with the large model alone "
    "(automix calibrate --label-free). To measure quality, stop with Ctrl-C and give the rows a column 'answers'."
)
_INCOMPLETE: Final = 1
"""Exit status where rows failed or could not be used."""


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of records (JSON Lines). One that is there is gone on with: rows that failed or changed"
    " are asked again.",
)
@click.option(
    "--index",
    "index_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that 'automix index' wrote. Without it, every row needs a context of its own.",
)
@click.option("--ignore-context", is_flag=True, help="Retrieve from the index even for rows that have a context.")
@model_options
@retry_options
@embedding_option
@k_option
@search_option
@language_option
@layout_option
@click.option(
    "--score",
    default="auto",
    show_default=True,
    metavar="auto|exact-match|f1|contains|numeric|judge:MODEL",
    help="How answers are compared with the gold answers; judge:MODEL asks a model.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    help="Questions that are worked on at one time, in each actor with --engine ray.  "
    "[default: 1 if all models are local, else 4]",
)
@click.option("--limit", type=click.IntRange(min=1), help="Record only so many rows, from the beginning.")
@engine_options
@price_option
@click.option(
    "--parquet", type=click.Path(dir_okay=False, path_type=Path), help="Also write the records as a Parquet table."
)
@json_option
def record(
    data: Path,
    *,
    out: Path,
    index_dir: Path | None,
    ignore_context: bool,
    small: str,
    large: str,
    tiers: tuple[str, ...],
    verifiers: tuple[str, ...],
    embedding: str,
    k: int,
    search: str,
    language: str,
    layout: Layout,
    score: str,
    concurrency: int | None,
    limit: int | None,
    given: tuple[tuple[str, Price], ...],
    parquet: Path | None,
    as_json: bool,
) -> None:
    """Ask every tier and the verifier about each row of DATA.

    Policies can then be compared without asking again. DATA is JSON Lines, CSV or Parquet with the columns id,
    question, answers (gold answers: one text or a list; may be missing) and optionally context (one text or a list),
    from which the question is then answered instead of from the index. Each record is on disk as soon as it is done:
    Ctrl-C loses nothing, and the same command does the rest.

    The exit status is 1 where rows failed or could not be used; they are listed.
    """
    # Imported here: they take a second, and --help must not.
    from automix_graph.cli.record_view import as_plain, show
    from automix_graph.evaluation.arrow import require_pyarrow
    from automix_graph.recording import read_rows, write_parquet
    from automix_graph.recording.rows import answerable

    engine = given_engine()
    _check_out(data, out)
    if parquet is not None:
        require_pyarrow("writing Parquet files")
    if ignore_context and index_dir is None:
        raise click.UsageError("--ignore-context needs --index: there would be nothing to answer from")
    # Refuses what cannot be recorded, before models are loaded.
    usable = answerable(read_rows(data), use_context=not ignore_context, retriever=index_dir is not None)
    if usable.rows and not any(row.answers for row in usable.rows):
        click.echo(_UNSCORED, err=True)
    scorer, scorer_model = _scorer(score, given)
    models = cascade(small=small, large=large, tiers=tiers, verifiers=verifiers)
    asked = {*(tier.model for tier in models), *verifiers}
    prices = {label: price for label, price in given if label != scorer_model or label in asked}
    recipe = CascadeRecipe(
        models=tuple(models),
        index_dir=None if index_dir is None else index_dir.absolute(),
        embedding=embedding,
        k=k,
        search=search,
        language=language,
        layout=layout,
        prices=prices,
        retries=given_retries(),
    )
    with recipe.opened() as opened:
        all_tiers = opened.tiers()
        report = run(
            data,
            out,
            RemoteTiers(recipe=recipe) if engine.apart else all_tiers,
            scorer=scorer,
            concurrency=concurrency or _concurrency(all_tiers, scorer_model),
            limit=limit,
            use_context=not ignore_context,
            engine=engine,
        )
    if parquet is not None:
        write_parquet(out, parquet)
    if as_json:
        click.echo(json.dumps(as_plain(report, parquet), ensure_ascii=False, indent=2))
    else:
        show(report, parquet, given, index_given=index_dir is not None)
    if not report.complete:
        raise click.exceptions.Exit(_INCOMPLETE)


def run(
    data: Path,
    out: Path,
    tiers: AllTiers | Callable[[], AllTiers],
    *,
    scorer: Scorer | str,
    concurrency: int,
    limit: int | None,
    use_context: bool,
    engine: Engine,
) -> RecordingReport:
    """Record with a progress bar on stderr; say how to go on where Ctrl-C stops it."""
    from automix_graph.recording import record_dataset

    bar = Bar(
        TextColumn("recording"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("failed {task.fields[failed]}  cost {task.fields[cost]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    try:
        with bar:
            return record_dataset(
                data,
                out,
                tiers,
                scorer=scorer,
                concurrency=concurrency,
                limit=limit,
                use_context=use_context,
                progress=_follow(bar),
                engine=engine,
            )
    except KeyboardInterrupt:
        click.echo(f"Interrupted. What is done is in {out}; the same command goes on from there.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None


def _follow(bar: Bar) -> Callable[[Progress], None]:
    from automix_graph.cli.record_view import cost_of

    task = bar.add_task("", total=None, failed=0, cost="$0")

    def follow(progress: Progress) -> None:
        bar.update(
            task,
            total=progress.total,
            completed=progress.done,
            failed=progress.failed,
            cost=cost_of(progress.spent),
        )

    return follow


def _check_out(data: Path, out: Path) -> None:
    if out.suffix.lower() == ".parquet":
        raise click.BadParameter(
            f"{str(out)!r} would be Parquet, which cannot grow; give a .jsonl file, and --parquet {out}",
            param_hint="--out",
        )
    if out.exists() and out.samefile(data):
        raise click.BadParameter(f"{str(out)!r} is the data set itself", param_hint="--out")


def _scorer(score: str, given: tuple[tuple[str, Price], ...]) -> tuple[Scorer, str | None]:
    """Return the scorer, and the name of the model that it asks."""
    from automix_graph.recording import SCORERS, LLMJudge, scorer_of

    if score.startswith(_JUDGE):
        name = score.removeprefix(_JUDGE)
        prices = {label: price for label, price in given if label == name}
        return LLMJudge(judge=name, prices=prices), name
    if score not in SCORERS:
        raise click.BadParameter(
            f"{score!r} is unknown; use one of {', '.join(SCORERS)}, or judge:MODEL", param_hint="--score"
        )
    return scorer_of(score), None


def _concurrency(tiers: AllTiers, scorer_model: str | None) -> int:
    from automix_graph.recording.runner import DEFAULT_CONCURRENCY
    from automix_graph.verification.verifier import models_of

    parts = tiers.parts
    judges = [model for verifier in parts.verifiers for model in models_of(verifier) or ()]
    labels = [model.label for model in (*(tier.model for tier in parts.tiers), *judges)]
    labels += [scorer_model] if scorer_model else []
    return 1 if all(label.startswith("local:") for label in labels) else DEFAULT_CONCURRENCY

"""``automix index``: files and folders into an index."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from automix_graph.cli.engine_options import engine_options, given_engine
from automix_graph.cli.options import embedding_option, json_option

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from automix_graph.engines import Engine
    from automix_graph.retrieval import IndexPlan, IngestReport, Progress
    from automix_graph.retrieval.plan import IndexChoice


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the index. An index that is there is brought up to date: unchanged files are skipped, and passages "
    "of files that are gone are removed.",
)
@embedding_option
@click.option(
    "--chunk-size",
    type=click.IntRange(min=1),
    help="Characters in a passage at most; a row of JSONL or CSV stays whole up to twice as many.  [default: 1200]",
)
@click.option(
    "--chunk-overlap",
    type=click.IntRange(min=0),
    help="Characters that a passage repeats.  [default: 150, at most a quarter of the chunk size]",
)
@click.option(
    "--index-type",
    type=click.Choice(["auto", "flat", "hnsw", "ivf", "ivf_sq8"]),
    help="How vectors are searched; auto is flat (all are compared) below 50,000 passages and ivf_sq8 (the nearest "
    "cells, a byte a component) from there. An index that is there keeps its type unless this says otherwise.  "
    "[default: auto]",
)
@click.option(
    "--recall-target",
    type=click.FloatRange(min=0.0, max=1.0, min_open=True),
    help="Share of the ten nearest passages that a search shall find; the types other than flat are tuned to it.  "
    "[default: 0.95]",
)
@click.option(
    "--embed-workers",
    type=click.IntRange(min=1),
    help="Batches of passages that are embedded at the same time.  [default: 2]",
)
@engine_options
@click.option(
    "--check",
    is_flag=True,
    help="Change nothing: read the index at --out whole and compare it with its checksums.",
)
@json_option
def index(
    paths: tuple[Path, ...],
    *,
    out: Path,
    embedding: str,
    chunk_size: int | None,
    chunk_overlap: int | None,
    index_type: IndexChoice | None,
    recall_target: float | None,
    embed_workers: int | None,
    check: bool,
    as_json: bool,
) -> None:
    """Index the files and folders PATHS for 'automix ask'.

    Reads plain text, Markdown, HTML, PDF, DOCX, CSV, JSON and JSON Lines. Files that cannot be read are listed, the
    rest goes on, and the exit status is 1 at the end. Ctrl-C keeps what is done; the same command then does the rest.
    """
    if check:
        _check(out, as_json=as_json)
        return
    if not paths:
        raise click.UsageError("Missing argument 'PATHS...': name the files and folders to index.")
    # Imported here: they take a second, and --help must not.
    from automix_graph.models import load_embeddings
    from automix_graph.retrieval.splitting import DEFAULT_CHUNK_OVERLAP, DEFAULT_CHUNK_SIZE, Splitter

    engine = given_engine()
    size = chunk_size or DEFAULT_CHUNK_SIZE
    overlap = min(DEFAULT_CHUNK_OVERLAP, size // 4) if chunk_overlap is None else chunk_overlap
    Splitter(chunk_size=size, chunk_overlap=overlap)  # refuses what cannot be, before models are loaded
    report = run(
        paths,
        out,
        partial(load_embeddings, embedding) if engine.apart else load_embeddings(embedding),
        chunk_size=size,
        chunk_overlap=overlap,
        embed_workers=embed_workers,
        plan=_plan(out, index_type, recall_target),
        engine=engine,
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report) | {"index": str(out)}, ensure_ascii=False, indent=2))
    else:
        _show(report, out)
    if report.unreadable or not (report.read or report.unchanged):
        raise click.exceptions.Exit(1)


def run(
    paths: tuple[Path, ...],
    out: Path,
    embedding: Embeddings | Callable[[], Embeddings],
    *,
    chunk_size: int,
    chunk_overlap: int,
    embed_workers: int | None = None,
    plan: IndexPlan | None = None,
    engine: Engine | None = None,
) -> IngestReport:
    """Index with a progress bar on stderr."""
    from automix_graph.retrieval import index_paths
    from automix_graph.retrieval.ingestion import DEFAULT_EMBED_WORKERS

    bar = Bar(
        TextColumn("indexing"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("passages {task.fields[passages]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        return index_paths(
            paths,
            out,
            embedding,
            chunk_size=chunk_size,
            chunk_overlap=chunk_overlap,
            embed_workers=embed_workers or DEFAULT_EMBED_WORKERS,
            plan=plan,
            progress=_follow(bar),
            engine=engine,
        )


def _plan(out: Path, index_type: IndexChoice | None, recall_target: float | None) -> IndexPlan | None:
    """Return the index that the options ask for; what they leave open is as it was."""
    from automix_graph.retrieval import IndexPlan
    from automix_graph.retrieval.manifest import MANIFEST, Manifest

    if index_type is None and recall_target is None:
        return None
    current = Manifest.read(out).plan if (out / MANIFEST).exists() else IndexPlan()
    return IndexPlan(
        index_type=index_type or current.index_type,
        recall_target=current.recall_target if recall_target is None else recall_target,
    )


def _check(out: Path, *, as_json: bool) -> None:
    from automix_graph.retrieval import check_store

    manifest = check_store(out)
    kind = "flat" if manifest.index is None else manifest.index.tuned.type
    if as_json:
        recall = None if manifest.index is None else manifest.index.tuned.recall
        found = {"index": str(out), "passages": manifest.count, "index_type": kind, "recall_at_10": recall, "ok": True}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        click.echo(f"{out} is whole: {manifest.count} passages, index type {kind}")


def _follow(bar: Bar) -> Callable[[Progress], None]:
    task = bar.add_task("", total=None, passages=0)

    def follow(progress: Progress) -> None:
        bar.update(task, total=progress.bytes_total, completed=progress.bytes_done, passages=progress.passages_added)

    return follow


def _show(report: IngestReport, out: Path) -> None:
    click.echo(
        f"files: {len(report.read)} read, {len(report.unchanged)} unchanged, {len(report.removed)} removed; "
        f"passages: {report.passages_added} added, {report.passages_removed} removed"
    )
    for label, problems in (("could not be read", report.unreadable), ("skipped", report.ignored)):
        for problem in problems:
            click.echo(f"{label}: {problem.path}: {problem.reason}")
    if not (report.read or report.unchanged):
        click.echo("Nothing was found to index.", err=True)
        return
    click.echo(f"index: {out}")
    click.echo(f"ask it: automix ask 'YOUR QUESTION' --index {out}")

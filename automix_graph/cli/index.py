"""``automix index``: files and folders into an index."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from automix_graph.cli.options import embedding_option, json_option

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from automix_graph.retrieval import IngestReport, Progress


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
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
@json_option
def index(
    paths: tuple[Path, ...],
    *,
    out: Path,
    embedding: str,
    chunk_size: int | None,
    chunk_overlap: int | None,
    as_json: bool,
) -> None:
    """Index the files and folders PATHS for 'automix ask'.

    Reads plain text, Markdown, HTML, PDF, DOCX, CSV and JSONL. Files that cannot be read are listed, and the rest goes
    on. Ctrl-C keeps what is done; the same command then does the rest.
    """
    # Imported here: they take a second, and --help must not.
    from automix_graph.models import load_embeddings
    from automix_graph.retrieval.splitting import DEFAULT_CHUNK_OVERLAP, DEFAULT_CHUNK_SIZE, Splitter

    size = chunk_size or DEFAULT_CHUNK_SIZE
    overlap = min(DEFAULT_CHUNK_OVERLAP, size // 4) if chunk_overlap is None else chunk_overlap
    Splitter(chunk_size=size, chunk_overlap=overlap)  # refuses what cannot be, before models are loaded
    report = run(paths, out, load_embeddings(embedding), chunk_size=size, chunk_overlap=overlap)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report) | {"index": str(out)}, ensure_ascii=False, indent=2))
    else:
        _show(report, out)


def run(
    paths: tuple[Path, ...], out: Path, embedding: Embeddings, *, chunk_size: int, chunk_overlap: int
) -> IngestReport:
    """Index with a progress bar on stderr."""
    from automix_graph.retrieval import index_paths

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
            paths, out, embedding, chunk_size=chunk_size, chunk_overlap=chunk_overlap, progress=_follow(bar)
        )


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

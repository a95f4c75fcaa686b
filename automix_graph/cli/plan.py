"""``automix plan``: does a cascade pay, and with which verifier, from a few numbers or from records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import click
from rich.console import Console

from automix_graph.cli.options import json_option, large_option, small_option
from automix_graph.cli.plan_records import Chosen, recorded_workload
from automix_graph.cli.policy_options import policy_option
from automix_graph.cli.price_option import price_option, require_priced
from automix_graph.costs.break_even import check_share
from automix_graph.costs.comparison import compare_layouts
from automix_graph.costs.layouts import Judge, Labels, Method, VerifierLayout, default_layouts, layouts_of
from automix_graph.costs.prices import Price, Prices
from automix_graph.costs.workload import PromptTokens, Workload

_TOKENS: Final = click.IntRange(min=0)
_SHARE: Final = click.FloatRange(min=0, max=1)


@click.command()
@click.argument("records", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@small_option
@large_option
@policy_option
@click.option("--verifier", help="A third model that could judge; the small and the large one are compared anyway.")
@click.option("--context-tokens", type=_TOKENS, help="The passages of a question.")
@click.option("--question-tokens", type=_TOKENS, default=30, show_default=True, help="A question.")
@click.option("--small-answer-tokens", type=_TOKENS, help="What the small model writes, reasoning too.")
@click.option("--large-answer-tokens", type=_TOKENS, help="What the large model writes, reasoning too.")
@click.option(
    "--accept-rate",
    type=_SHARE,
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
@price_option
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
    records: Path | None,
    *,
    small: str,
    large: str,
    policy: Path | None,
    verifier: str | None,
    context_tokens: int | None,
    question_tokens: int,
    small_answer_tokens: int | None,
    large_answer_tokens: int | None,
    accept_rate: float | None,
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
    """Say whether a cascade pays, and with which verifier.

    It also says what quality the cascade then needs. Every way to verify is charged at list prices (or yours) for one
    question: the small answer, its verification, and the large answer where the small one is rejected. No model is
    called. Token counts are means over your questions.

    RECORDS, a file that 'automix record' wrote, gives models, token counts, accept rate and qualities, and what the
    questions cost as they were recorded. Options win over it. Without it, --context-tokens, --small-answer-tokens,
    --large-answer-tokens and --accept-rate are needed.
    """
    # Imported here: it takes a second, and --help must not.
    from automix_graph.cli.plan_plain import as_plain
    from automix_graph.cli.plan_view import show
    from automix_graph.cli.planned import Planned, Stakes
    from automix_graph.verification.reading.evidence import DEFAULT_EVIDENCE_TOKENS

    recorded = None if records is None else recorded_workload(records, policy, given)
    if recorded is None:
        needed = {
            "--context-tokens": context_tokens,
            "--small-answer-tokens": small_answer_tokens,
            "--large-answer-tokens": large_answer_tokens,
            "--accept-rate": accept_rate,
        }
        _check_given(needed, policy)
    chosen = Chosen(recorded)
    labels = _labels(chosen("small", small), chosen("large", large), verifier)
    others = {recorded.small, recorded.large} if recorded else set()
    prices = _prices(given, labels, others)
    small_quality, large_quality = chosen("small_quality", small_quality), chosen("large_quality", large_quality)
    stakes = Stakes(price_of_error=price_of_error, qualities=_qualities(small_quality, large_quality))
    prompts = _prompt_tokens(
        chosen("language", language), answer_prompt_tokens, verify_prompt_tokens, shared_prompt_tokens
    )
    if recorded is not None and context_tokens is None:
        context_tokens = max(0, recorded.prompt - prompts.answer - question_tokens)
    workload = Workload(
        context=context_tokens or 0,
        question=question_tokens,
        small_answer=chosen("small_answer_tokens", small_answer_tokens),
        large_answer=chosen("large_answer_tokens", large_answer_tokens),
        prompts=prompts,
        evidence=DEFAULT_EVIDENCE_TOKENS if evidence_tokens is None else evidence_tokens,
        votes=votes,
        verdict=verdict_tokens,
        reason=reason_tokens,
        hidden=hidden_tokens,
        cacheable=cacheable_tokens,
        votes_in_one_request=not separate_votes,
    )
    rate = chosen("accept_rate", accept_rate)
    compared = compare_layouts(_layouts(methods, labels["large"]), workload, labels, prices, accept_rate=rate)
    measured = recorded if recorded and (recorded.small, recorded.large) == (labels["small"], labels["large"]) else None
    planned = Planned(plan=compared, workload=workload, labels=labels, prices=prices, stakes=stakes, recorded=measured)
    if as_json:
        click.echo(json.dumps(as_plain(planned), ensure_ascii=False, indent=2))
    else:
        show(Console(), planned)


def _check_given(needed: Mapping[str, object], policy: Path | None) -> None:
    missing = [option for option, value in needed.items() if value is None]
    if missing:
        raise click.UsageError(f"without RECORDS, give {', '.join(missing)}")
    if policy is not None:
        raise click.UsageError(
            "--policy decides about records, and none are given; give RECORDS, or --accept-rate alone"
        )


def _labels(small: str, large: str, verifier: str | None) -> Labels:
    labels: dict[Judge, str] = {"small": small, "large": large}
    if verifier is None:
        return labels
    if verifier in {"small", "large", small, large}:
        raise click.BadParameter(
            f"{verifier!r} is compared anyway; name a third model, or leave the option out", param_hint="--verifier"
        )
    return labels | {"third": verifier}


def _prices(given: tuple[tuple[str, Price], ...], labels: Labels, recorded: set[str]) -> Prices:
    for label, _ in given:
        if label not in {*labels.values(), *recorded}:
            raise click.BadParameter(
                f"{label!r} is none of the models of this plan: {', '.join(labels.values())}", param_hint="--price"
            )
    prices = Prices(dict(given))
    models = dict.fromkeys([labels["small"], labels["large"]])
    require_priced([label for label in models if prices.price(label) is None])
    return prices


def _qualities(small: float | None, large: float | None) -> tuple[float, float] | None:
    if small is None or large is None:
        if small is not large:
            raise click.UsageError("give both of --small-quality and --large-quality, or neither")
        return None
    check_share("small_quality", small)
    check_share("large_quality", large)
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

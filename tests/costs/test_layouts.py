"""What each way of verifying makes the models read and write, counted by hand."""

import dataclasses
import re
from typing import Any

import pytest

from automix_graph.costs import PromptTokens, VerifierLayout, Workload, default_layouts, layouts_of
from automix_graph.costs.layouts import Judge, Method, Reads, answer_alone, calls_of
from automix_graph.errors import ConfigurationError
from automix_graph.prompts import load_prompts
from automix_graph.records import Call, Usage

PROMPTS = PromptTokens(answer=100, verify=900, shared=800, shared_answer=10, shared_verify=50)
WORKLOAD = Workload(
    context=3000, question=30, small_answer=60, large_answer=80, prompts=PROMPTS, evidence=300, cacheable=1024
)
LABELS: dict[Judge, str] = {"small": "s", "large": "l", "third": "t"}


def counted(call: Call) -> tuple[str, int | None, int | None, int | None, int | None]:
    """Return model, input, of these cached, of these written to the cache, and output."""
    usage = call.usage
    return (
        call.model,
        usage.input_tokens,
        usage.cached_input_tokens or 0,
        usage.cache_write_tokens or 0,
        usage.output_tokens,
    )


def calls(judge: Judge, reads: Reads, method: Method = "short", workload: Workload = WORKLOAD) -> list[object]:
    made = calls_of(VerifierLayout(judge=judge, reads=reads, method=method), workload, LABELS)
    return [counted(made.small), [counted(call) for call in made.verify], counted(made.escalate)]


def test_a_judge_with_a_prompt_of_its_own_reads_everything_again() -> None:
    alone = [("s", 3130, 0, 0, 60), ("l", 3130, 0, 0, 80)]
    for judge in ("small", "large", "third"):
        verdict = (LABELS[judge], 900 + 3000 + 30 + 60, 0, 0, 2)
        assert calls(judge, "full") == [alone[0], [verdict], alone[1]]
    assert counted(answer_alone("large", WORKLOAD, LABELS)) == alone[1]


def test_evidence_is_at_most_the_context() -> None:
    assert calls("large", "evidence")[1] == [("l", 900 + 300 + 30 + 60, 0, 0, 2)]
    short = dataclasses.replace(WORKLOAD, context=200)
    assert calls("large", "evidence", workload=short)[1] == [("l", 900 + 200 + 30 + 60, 0, 0, 2)]


def test_a_large_judge_that_shares_its_prompt_reads_the_context_once() -> None:
    beginning = 800 + 3000 + 30
    assert calls("large", "shared") == [
        ("s", 3130, 0, 0, 60),
        [("l", beginning + 50 + 60, 0, beginning, 2)],
        ("l", beginning + 10, beginning, 0, 80),
    ]


def test_a_small_judge_that_shares_its_prompt_has_read_the_context_for_its_answer() -> None:
    beginning = 800 + 3000 + 30
    assert calls("small", "shared") == [
        ("s", beginning + 10, 0, beginning, 60),
        [("s", beginning + 50 + 60, beginning, 0, 2)],
        ("l", 3130, 0, 0, 80),
    ]


@pytest.mark.parametrize(("cacheable", "cached"), [(3830, 3830), (3831, 0)])
def test_a_beginning_that_is_too_short_is_not_cached(cacheable: int, cached: int) -> None:
    made = calls("large", "shared", workload=dataclasses.replace(WORKLOAD, cacheable=cacheable))
    assert made[1] == [("l", 3830 + 110, 0, cached, 2)]
    assert made[2] == ("l", 3840, cached, 0, 80)


def test_a_likelihood_reads_the_draft_under_the_answer_prompt() -> None:
    assert calls("large", "shared", "likelihood") == [
        ("s", 3130, 0, 0, 60),
        [("l", 3130 + 60, 0, 3130, 0)],
        ("l", 3130, 3130, 0, 80),
    ]


def test_votes_pay_their_prompt_once_or_each() -> None:
    assert calls("third", "full", "votes")[1] == [("t", 3990, 0, 0, 16)]
    separate = dataclasses.replace(WORKLOAD, votes=3, votes_in_one_request=False)
    assert calls("third", "full", "votes", separate)[1] == [("t", 3990, 0, 0, 2)] * 3


@pytest.mark.parametrize(("method", "written"), [("short", 2), ("reasoned", 60), ("token-probability", 1)])
def test_what_a_judge_writes_depends_on_the_method(method: Method, written: int) -> None:
    assert calls("third", "full", method)[1] == [("t", 3990, 0, 0, written)]


def test_hidden_reasoning_comes_before_each_judgement() -> None:
    thinks = dataclasses.replace(WORKLOAD, hidden=500, votes=3)
    methods: list[Method] = ["short", "reasoned", "votes", "token-probability"]
    assert [calls("third", "full", method, thinks)[1][0][-1] for method in methods] == [502, 560, 1506, 501]  # type: ignore[index]
    separate = dataclasses.replace(thinks, votes_in_one_request=False)
    assert calls("third", "full", "votes", separate)[1] == [("t", 3990, 0, 0, 502)] * 3
    assert calls("large", "shared", "likelihood", thinks) == calls("large", "shared", "likelihood")


def test_the_confidence_of_the_answer_itself_is_no_call() -> None:
    assert calls("small", "nothing", "answer-confidence")[1] == []


@pytest.mark.parametrize(
    ("judge", "reads", "method"),
    [
        ("third", "shared", "short"),
        ("large", "nothing", "short"),
        ("small", "shared", "likelihood"),
        ("large", "full", "answer-confidence"),
        ("nobody", "full", "short"),
        ("large", "full", "guessing"),
    ],
)
def test_what_does_not_go_together_is_refused(judge: Judge, reads: Reads, method: Method) -> None:
    with pytest.raises(ConfigurationError, match="one of"):
        VerifierLayout(judge=judge, reads=reads, method=method)


def test_what_is_refused_is_told_with_what_is_allowed() -> None:
    allowed = "short, reasoned, votes, token-probability, likelihood, answer-confidence"
    with pytest.raises(ConfigurationError, match=f"^method 'guessing' is unknown; use one of {allowed}$"):
        VerifierLayout(judge="large", reads="full", method="guessing")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"'third' .* 'shared' .* 'likelihood'.* one of \(large, shared\)$"):
        VerifierLayout(judge="third", reads="shared", method="likelihood")
    pairs = "(large, evidence), (large, full), (large, shared), (small, evidence), (small, full), (small, shared)"
    with pytest.raises(ConfigurationError, match=re.escape(f"one of {pairs}, (third, evidence), (third, full)") + "$"):
        VerifierLayout(judge="third", reads="shared")


@pytest.mark.parametrize("layout", default_layouts(own_server=True), ids=lambda layout: layout.name)
def test_calls_are_of_their_stages_and_take_no_time(layout: VerifierLayout) -> None:
    made = calls_of(layout, WORKLOAD, LABELS)
    assert (made.small.stage, made.escalate.stage) == ("small_answer", "large_answer")
    assert {call.stage for call in made.verify} == {"verify"}
    assert {call.seconds for call in (made.small, *made.verify, made.escalate)} == {0.0}
    assert [answer_alone(tier, WORKLOAD, LABELS).stage for tier in ("small", "large")] == [
        "small_answer",
        "large_answer",
    ]


def test_evidence_of_unknown_length_is_read_as_none() -> None:
    unknown = dataclasses.replace(WORKLOAD, evidence=None)
    assert calls("large", "evidence", workload=unknown)[1] == [("l", 900 + 30 + 60, 0, 0, 2)]


def test_the_default_layouts_show_every_judge_and_reading() -> None:
    layouts = default_layouts()
    assert {(layout.judge, layout.reads) for layout in layouts} == {
        (layout.judge, layout.reads) for layout in layouts_of(["short"])
    }
    assert {layout.method for layout in layouts} == {"short", "token-probability", "reasoned", "votes"}
    assert {layout.method for layout in default_layouts(own_server=True)} >= {"likelihood"}
    names = [layout.name for layout in default_layouts(own_server=True)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_prompt_tokens_are_those_of_the_prompts(language: str) -> None:
    prompts = load_prompts(language)
    tokens = PromptTokens.of(prompts, len)
    system, user = (len(turn.text) for turn in prompts.answer("", ()))
    assert tokens.shared + tokens.shared_answer == system + user
    assert tokens.shared + tokens.shared_verify == sum(len(turn.text) for turn in prompts.verify("", (), ""))
    assert tokens == PromptTokens.of(prompts.in_layout("document"), len)
    alone = prompts.in_layout("document")
    assert tokens.answer == sum(len(turn.text) for turn in alone.answer("", ()))
    assert tokens.verify == sum(len(turn.text) for turn in alone.verify("", (), ""))
    ends = [turns[-1].text for turns in (prompts.answer("", ()), prompts.verify("", (), ""))]
    common = next(place for place, (one, other) in enumerate(zip(*ends, strict=False)) if one != other)
    assert (tokens.shared_answer, tokens.shared_verify) == (len(ends[0]) - common, len(ends[1]) - common)
    assert 0 < tokens.shared_answer < tokens.shared_verify < tokens.shared


@pytest.mark.parametrize(
    ("field", "value"), [("context", -1), ("question", 1.5), ("verdict", True), ("evidence", "3"), ("votes", 0)]
)
def test_numbers_that_are_no_tokens_are_refused(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"{field} is"):
        dataclasses.replace(WORKLOAD, **{field: value})
    with pytest.raises(ConfigurationError, match="shared is -1"):
        dataclasses.replace(PROMPTS, shared=-1)


@pytest.mark.parametrize("votes", [0, -1, True, 1.5, None])
def test_there_is_at_least_one_vote(votes: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^votes is {votes!r}; use a whole number, one or more$"):
        dataclasses.replace(WORKLOAD, votes=votes)
    assert dataclasses.replace(WORKLOAD, votes=1).votes == 1


def test_usage_never_contradicts_itself() -> None:
    for layout in default_layouts(own_server=True):
        made = calls_of(layout, WORKLOAD, LABELS)
        for call in (made.small, *made.verify, made.escalate):
            usage: Usage = call.usage
            parts = (usage.cached_input_tokens or 0) + (usage.cache_write_tokens or 0)
            assert usage.input_tokens is not None
            assert parts <= usage.input_tokens

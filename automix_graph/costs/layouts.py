"""Ways to verify, and the calls that a question makes with each: who judges, what the judge reads and what it writes.

The calls carry the usage that a provider would report, so that they are charged as those of real questions are. What
the arithmetic assumes stands in `ASSUMPTIONS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from automix_graph.costs.workload import Workload
from automix_graph.errors import ConfigurationError
from automix_graph.records import Call, Stage, Usage

Judge = Literal["small", "large", "third"]
"""Who judges: the model that answered, the one that would answer next, or another one."""
Reads = Literal["full", "shared", "evidence", "nothing"]
"""What the judge reads.

``full``: the whole context, in a prompt of its own. ``shared``: the whole context, in a prompt that begins as that of
its own answer, so that a cache serves whichever comes second. ``evidence``: the sentences that bear on question and
answer. ``nothing``: there is no call.
"""
Method = Literal["short", "reasoned", "votes", "token-probability", "likelihood", "answer-confidence"]
"""What the judge writes: the verifiers of `automix_graph.verification`."""
Labels = Mapping[Judge, str]
"""The label of each model, as in the records; without ``third`` where there is none."""

ASSUMPTIONS: Final = (
    "Token counts are means, and prices are the same for every question.",
    "The accept rate is the same for every layout; measure it for the verifier that you choose.",
    "All judges reason silently for the same number of tokens, zero unless it is given.",
    "Failed calls, unreadable verdicts (which escalate) and the tokens that frame a chat turn are left out.",
    "A prompt's beginning is cached between the two calls of one question that share it, if it is long enough and the "
    "provider caches of its own accord (Anthropic caches only what a request marks); writing it costs the provider's "
    "price for that. Nothing is cached from one question to the next.",
    "Votes are of one word each, and drawn in one request where the provider can; in several, each pays its prompt.",
    "Choosing the evidence is free (its embedding calls are not charged).",
)
"""What `calls_of` takes for granted, a sentence each."""

_READINGS: Final[dict[Judge, tuple[Reads, ...]]] = {
    "large": ("full", "shared", "evidence"),
    "small": ("full", "shared", "evidence"),
    "third": ("full", "evidence"),
}
_ONLY: Final[dict[Method, tuple[Judge, Reads]]] = {
    "likelihood": ("large", "shared"),
    "answer-confidence": ("small", "nothing"),
}
"""Methods that go with one judge and one reading."""
_READ: Final[dict[Reads, str]] = {
    "full": "full context",
    "shared": "shared prefix",
    "evidence": "evidence only",
    "nothing": "no call",
}


@dataclass(frozen=True, kw_only=True)
class VerifierLayout:
    """One way to verify.

    Attributes:
        judge: who judges.
        reads: what the judge reads; a third model shares no prompt.
        method: what it writes. ``likelihood`` is the large model's alone, on a server of your own;
            ``answer-confidence`` is the small model's alone, and no call.

    Raises:
        ConfigurationError: the three do not go together.

    Example:
        >>> VerifierLayout(judge="large", reads="shared", method="votes").name
        'large, shared prefix, votes'
    """

    judge: Judge
    reads: Reads
    method: Method = "short"

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ConfigurationError(f"method {self.method!r} is unknown; use one of {', '.join(get_args(Method))}")
        allowed = {_ONLY[self.method]} if self.method in _ONLY else _pairs()
        if (self.judge, self.reads) not in allowed:
            pairs = ", ".join(f"({judge}, {reads})" for judge, reads in sorted(allowed))
            raise ConfigurationError(
                f"judge {self.judge!r} that reads {self.reads!r} cannot judge by {self.method!r}; (judge, reads) is "
                f"one of {pairs}"
            )

    @property
    def name(self) -> str:
        """The layout in a few words."""
        return f"{self.judge}, {_READ[self.reads]}, {self.method.replace('-', ' ')}"


def layouts_of(methods: Iterable[Method]) -> tuple[VerifierLayout, ...]:
    """Return every layout of some methods."""
    return tuple(
        VerifierLayout(judge=judge, reads=reads, method=method)
        for method in methods
        for judge, reads in ([_ONLY[method]] if method in _ONLY else sorted(_pairs()))
    )


def default_layouts(*, own_server: bool = False) -> tuple[VerifierLayout, ...]:
    """Return the layouts that are worth a look: one short verdict in every way, and the other methods in the best way.

    Args:
        own_server: whether the large model runs on a server that scores a given text, such as llama.cpp's or vLLM's.
    """
    others: tuple[Method, ...] = ("token-probability", "reasoned", "votes")
    return (
        *layouts_of(["short"]),
        *(VerifierLayout(judge="large", reads="shared", method=method) for method in others),
        VerifierLayout(judge="small", reads="shared", method="votes"),
        *(layouts_of(["likelihood"]) if own_server else ()),
    )


@dataclass(frozen=True, kw_only=True)
class CascadeCalls:
    """The calls that one question can make.

    Attributes:
        small: the small answer.
        verify: its verification.
        escalate: the large answer after a rejected small one.
    """

    small: Call
    verify: tuple[Call, ...]
    escalate: Call


def calls_of(layout: VerifierLayout, workload: Workload, labels: Labels) -> CascadeCalls:
    """Return the calls of a question that is verified in one way."""
    return CascadeCalls(
        small=_answer_of("small", layout, workload, labels),
        verify=_verification(layout, workload, labels),
        escalate=_answer_of("large", layout, workload, labels),
    )


def answer_alone(tier: Literal["small", "large"], workload: Workload, labels: Labels) -> Call:
    """Return the call for an answer of a model that does nothing else."""
    tokens = workload.prompts.answer + workload.context + workload.question
    return _call(_stage(tier), labels[tier], Usage(input_tokens=tokens, output_tokens=_written(tier, workload)))


def _answer_of(tier: Literal["small", "large"], layout: VerifierLayout, workload: Workload, labels: Labels) -> Call:
    if layout.reads != "shared" or layout.judge != tier:
        return answer_alone(tier, workload, labels)
    # The small model answers before it judges, the large one after.
    again = tier == "large"
    tail = 0 if layout.method == "likelihood" else workload.prompts.shared_answer
    usage = _sharing(layout, workload, tail=tail, output=_written(tier, workload), again=again)
    return _call(_stage(tier), labels[tier], usage)


def _verification(layout: VerifierLayout, workload: Workload, labels: Labels) -> tuple[Call, ...]:
    if layout.reads == "nothing":
        return ()
    separate = layout.method == "votes" and not workload.votes_in_one_request
    output = workload.hidden + workload.verdict if separate else _judgement(layout.method, workload)
    draft = workload.small_answer
    if layout.reads == "shared":
        tail = draft if layout.method == "likelihood" else workload.prompts.shared_verify + draft
        usage = _sharing(layout, workload, tail=tail, output=output, again=layout.judge == "small")
    else:
        context = workload.context if layout.reads == "full" else min(workload.evidence or 0, workload.context)
        tokens = workload.prompts.verify + context + workload.question + draft
        usage = Usage(input_tokens=tokens, output_tokens=output)
    return (_call("verify", labels[layout.judge], usage),) * (workload.votes if separate else 1)


def _sharing(layout: VerifierLayout, workload: Workload, *, tail: int, output: int, again: bool) -> Usage:
    """Return the usage of a prompt whose beginning the cache keeps for, or (again) has from, the other one."""
    # A likelihood is read off the judge's answer prompt, which needs no examples of verdicts.
    constant = workload.prompts.answer if layout.method == "likelihood" else workload.prompts.shared
    beginning = constant + workload.context + workload.question
    kept = beginning if beginning >= workload.cacheable else 0
    return Usage(
        input_tokens=beginning + tail,
        output_tokens=output,
        cached_input_tokens=kept if again else 0,
        cache_write_tokens=0 if again else kept,
    )


def _judgement(method: Method, workload: Workload) -> int:
    """Return the tokens that a judge writes, none where the server scores a text that is there already."""
    written: dict[Method, int] = {
        "short": workload.hidden + workload.verdict,
        "reasoned": workload.hidden + workload.reason,
        "votes": workload.votes * (workload.hidden + workload.verdict),
        "token-probability": workload.hidden + 1,
    }
    return written.get(method, 0)


def _pairs() -> set[tuple[Judge, Reads]]:
    return {(judge, reads) for judge, readings in _READINGS.items() for reads in readings}


def _stage(tier: Literal["small", "large"]) -> Stage:
    return "small_answer" if tier == "small" else "large_answer"


def _written(tier: Literal["small", "large"], workload: Workload) -> int:
    return workload.small_answer if tier == "small" else workload.large_answer


def _call(stage: Stage, label: str, usage: Usage) -> Call:
    return Call(stage=stage, model=label, usage=usage, seconds=0.0)

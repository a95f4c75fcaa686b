"""What one question did, as plain values: passages, calls, drafts, verifications, decisions, and the record of them.

All values are frozen and hold only JSON types, so that a record can be stored anywhere and decided again under another
policy without calling a model. This module knows no model, no price and no policy.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal, Self

SCHEMA_VERSION: Final = 1

Stage = Literal["small_answer", "verify", "large_answer"]
"""The node that made a model call."""

Route = Literal["small", "large"]
"""Where a question ended."""


class Verdict(StrEnum):
    """One parsed judgement of an answer."""

    CORRECT = "CORRECT"
    INCORRECT = "INCORRECT"
    UNPARSED = "UNPARSED"


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A retrieved piece of text.

    Attributes:
        text: the text as it was indexed.
        id: the id in the store; None where the retriever gives none.
        metadata: what the retriever knows of it, as JSON values.
    """

    text: str
    id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of one model call as the provider reported them; None where the provider did not say.

    Attributes:
        input_tokens: tokens of the prompt, cached ones included.
        output_tokens: tokens generated, reasoning ones included.
        cached_input_tokens: those of the prompt that were read from a cache.
        cache_write_tokens: those of the prompt that were written to a cache, where that has a price of its own.
        reasoning_tokens: those of the output that were spent on hidden reasoning.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One model call, successful or not.

    Attributes:
        stage: the node that made it.
        model: the model's label.
        usage: tokens as reported; fields are None where the provider did not say.
        seconds: wall time.
        cost: in USD; None where a price or a token count is unknown.
        error: the kind of failure, without the provider's words (they may repeat the prompt); None where the call
            succeeded.
    """

    stage: Stage
    model: str
    usage: Usage
    seconds: float
    cost: float | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The answer of one tier, before anyone decided about it.

    Attributes:
        tier: whose answer it is.
        text: as the model wrote it.
        logprobs: natural logarithms of the probabilities of its tokens; empty where nobody asked or nobody told.
    """

    tier: Route
    text: str
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a judge read instead of all passages as they are.

    Attributes:
        kind: ``"budget"`` where passages were left out to fit, ``"evidence"`` where only some sentences were read.
        passages: positions, from 0, of the passages that were read, in part or whole.
        omitted: positions of those of which nothing was read.
        tokens: of the context that was read, as far as the counter of the verifier can tell.
        cut: positions of the passages that were read only in part.
    """

    kind: Literal["budget", "evidence"]
    passages: tuple[int, ...]
    omitted: tuple[int, ...]
    tokens: int
    cut: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What the verifier found about one draft: a verdict with a confidence, or UNPARSED with the reason.

    Attributes:
        method: the verifier's name.
        verdict: the judgement; UNPARSED where there is none to trust.
        confidence: estimate in [0, 1] that the draft is correct; None where there is no judgement.
        verdicts: every verdict drawn, in order.
        failure: why there is no judgement; None where there is one.
        signals: the numbers behind the confidence, by name; what is needed to work it out in another way later.
        reading: what the judge read, where that was not all passages as they are.

    Raises:
        ValueError: the confidence lies outside [0, 1], a signal is no number, or the fields contradict each other.
    """

    method: str
    verdict: Verdict
    confidence: float | None
    verdicts: tuple[Verdict, ...] = ()
    failure: str | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    reading: Reading | None = None

    def __post_init__(self) -> None:
        # NumPy's numbers and other mappings than dict become what JSON can hold.
        if self.confidence is not None:
            object.__setattr__(self, "confidence", self._number("confidence", self.confidence))
        signals = {str(name): self._number(f"signal {name!r}", value) for name, value in self.signals.items()}
        object.__setattr__(self, "signals", signals)
        self._check()

    def _number(self, name: str, value: object) -> float:
        try:
            if not isinstance(value, str | bytes):
                return float(value)  # type: ignore[arg-type]  # what is no number is refused below
        except (TypeError, ValueError, OverflowError):
            pass
        raise ValueError(f"{name} of verifier {self.method!r} is a {type(value).__name__}, which is no number")

    def _check(self) -> None:
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(
                f"confidence of verifier {self.method!r} is {self.confidence!r}; it must be a number in [0, 1], "
                "or None with a failure that says why there is none"
            )
        if not isinstance(self.verdict, Verdict):
            raise ValueError(f"verdict of verifier {self.method!r} is {self.verdict!r}; it must be a Verdict")
        judged = (self.verdict is not Verdict.UNPARSED, self.confidence is not None, self.failure is None)
        if len(set(judged)) > 1:
            raise ValueError(
                f"verifier {self.method!r} must give either CORRECT or INCORRECT with a confidence, or UNPARSED with a "
                f"failure; it gave {self.verdict.value}, confidence={self.confidence!r} and failure={self.failure!r}"
            )


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a policy made of the verifications so far.

    Attributes:
        accept: True keeps the draft, False escalates.
        policy: the policy's name.
        reason: the rule that decided, with its numbers, for people.
    """

    accept: bool
    policy: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one question did.

    Attributes:
        question: as it was asked.
        language: of the prompts.
        prompts: fingerprint of the prompts, see `automix_graph.prompts.Prompts.fingerprint`.
        passages: what every model saw, in this order.
        drafts: answers by tier, cheapest first.
        verifications: one for each tier that was to be verified, a missing draft included.
        decisions: one for each verification.
        calls: every model call, in order.
        schema_version: of the JSON form.
    """

    question: str
    language: str
    prompts: str
    passages: tuple[Passage, ...] = ()
    drafts: tuple[Draft, ...] = ()
    verifications: tuple[Verification, ...] = ()
    decisions: tuple[Decision, ...] = ()
    calls: tuple[Call, ...] = ()
    schema_version: int = field(default=SCHEMA_VERSION)

    def adding(
        self,
        *,
        draft: Draft | None = None,
        verification: Verification | None = None,
        decision: Decision | None = None,
        calls: tuple[Call, ...] = (),
    ) -> Self:
        """Return a copy with these appended."""
        return dataclasses.replace(
            self,
            drafts=(*self.drafts, draft) if draft else self.drafts,
            verifications=(*self.verifications, verification) if verification else self.verifications,
            decisions=(*self.decisions, decision) if decision else self.decisions,
            calls=(*self.calls, *calls),
        )

    def draft(self, tier: Route) -> Draft | None:
        """Return the answer of a tier, or None where it gave none."""
        return next((draft for draft in self.drafts if draft.tier == tier), None)

    def to_json(self) -> str:
        """Return the record as one line of JSON, in ASCII: lone surrogates, which no encoding knows, survive it.

        JSON has no infinity and no NaN: they become the texts ``"Infinity"``, ``"-Infinity"`` and ``"NaN"``.
        """
        data = dataclasses.asdict(self)
        try:
            return json.dumps(data, separators=(",", ":"), allow_nan=False)
        except ValueError:
            return json.dumps(_finite(data), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record that `to_json` wrote.

        Raises:
            ValueError: the text is no record, or one of a newer schema.
        """
        data = json.loads(text)
        version = data.get("schema_version") if isinstance(data, dict) else None
        if version != SCHEMA_VERSION:
            raise ValueError(
                f"record has schema_version {version!r}; this version of automix-graph reads {SCHEMA_VERSION}: "
                "upgrade automix-graph, or record again"
            )
        try:
            return cls(**data | {name: tuple(map(read, data[name])) for name, read in _READERS.items()})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the text is no record of schema_version {SCHEMA_VERSION}: {error!r}") from error

    def seal(self) -> str:
        """Return the record as one opaque line of ASCII.

        Rejected drafts travel through graph state, and state shows up in streams, events and traces that people read.
        Sealed, a draft cannot be shown by accident. This is an encoding, not encryption.
        """
        return base64.b64encode(self.to_json().encode()).decode("ascii")

    @classmethod
    def unseal(cls, text: str) -> Self:
        """Read a record that `seal` wrote."""
        return cls.from_json(base64.b64decode(text).decode())


def _finite(data: Any) -> Any:
    """Return JSON values with the numbers that JSON does not know as the texts that `float` reads."""
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    return data


def _verification(data: Mapping[str, Any]) -> Verification:
    verdicts = tuple(Verdict(verdict) for verdict in data.get("verdicts", ()))
    signals = {name: float(value) for name, value in data.get("signals", {}).items()}
    reading = data.get("reading")
    if reading is not None:
        positions = {name: tuple(reading.get(name, ())) for name in ("passages", "omitted", "cut")}
        reading = Reading(**{**reading, **positions})
    read = {"verdict": Verdict(data["verdict"]), "verdicts": verdicts, "signals": signals, "reading": reading}
    return Verification(**{**data, **read})


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], object]]] = {
    "passages": lambda item: Passage(**item),
    "drafts": lambda item: Draft(**{**item, "logprobs": tuple(map(float, item.get("logprobs", ())))}),
    "verifications": _verification,
    "decisions": lambda item: Decision(**item),
    "calls": lambda item: Call(**{**item, "usage": Usage(**item["usage"])}),
}
"""How the values of each list of a record are read from JSON."""

"""The record of one question: what was read, drafted, found, decided and paid."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from automix_graph.records.calls import Call, Usage
from automix_graph.records.changing import changed
from automix_graph.records.judging import Decision, Reading, Verdict, Verification
from automix_graph.records.sealing import sealed, unsealed

SCHEMA_VERSION: Final = 1
"""Of records as JSON; one of another version is not read."""

Route = str
"""Where a question ended: the tier whose answer was committed, or ``"abstain"``."""


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

    def fields(self) -> dict[str, Any]:
        """Return the values by name, as `dataclasses.asdict`; the metadata are shared, not copied."""
        return {"text": self.text, "id": self.id, "metadata": self.metadata}

    def seal(self) -> str:
        """Return the passage as one opaque word; see `Record.seal`.

        All records of a question share its passages, most of what is sealed, so the word is remembered. Not by
        `functools.cached_property`, whose lock is one for all passages in Python 3.11: threads would queue for it.
        """
        word: str | None = vars(self).get("_sealed")
        if word is None:
            word = vars(self)["_sealed"] = sealed(self.fields())
        return word


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The answer of one tier, before anyone decided about it.

    Attributes:
        tier: whose answer it is, see `automix_graph.records.tiers.tier_names`.
        text: as the model wrote it.
        logprobs: natural logarithms of the probabilities of its tokens; empty where nobody asked or nobody told.
    """

    tier: str
    text: str
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a question cost, beside what asking only the large model would have cost. All in USD.

    Attributes:
        cost: of all calls; None where a price or a token count is unknown.
        at_least: sum of the costs that are known.
        always_large: of the large model's answer alone, as the first reader of its prompt; None where unknown.
        estimated: whether `always_large` is an estimate, since the large model did not answer.
    """

    cost: float | None
    at_least: float
    always_large: float | None
    estimated: bool

    @property
    def saved(self) -> float | None:
        """What the cascade saved: negative where it lost money, None where either cost is unknown."""
        return None if self.cost is None or self.always_large is None else self.always_large - self.cost


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one question did.

    Attributes:
        question: as it was asked.
        language: of the prompts.
        prompts: fingerprint of the prompts, see `automix_graph.prompts.Prompts.fingerprint`.
        passages: what every model saw, in this order.
        drafts: answers by tier, cheapest first.
        verifications: one for each tier that was to be verified, cheapest first, a missing draft included; one whose
            failure is ``"the tier was not asked"`` holds the place of a tier that was skipped.
        decisions: one for each verification of a tier that was not skipped.
        calls: every model call, in order.
        route: whose answer was committed, or ``"abstain"``; None while nothing is, and where all tiers only were
            recorded.
        degraded: whether the committed answer is only the best there is: it was rejected, or written without passages.
        bill: what the question cost, once it has ended.
        degraded_reason: why it is; set as soon as it is known, which is before the end where the retriever failed. None
            where nothing is wrong.
        began: when the question was asked, in seconds since the epoch, and later by as long as people were waited for;
            None where nobody knows.
        paused: since when a person is waited for, in seconds since the epoch; None where nobody is.
        message_id: of the chat message that asked; None where no message did.
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
    route: Route | None = None
    degraded: bool = False
    bill: Bill | None = None
    degraded_reason: str | None = None
    began: float | None = None
    paused: float | None = None
    message_id: str | None = None
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
        changes: dict[str, Any] = {}
        if draft is not None:
            changes["drafts"] = (*self.drafts, draft)
        if verification is not None:
            changes["verifications"] = (*self.verifications, verification)
        if decision is not None:
            changes["decisions"] = (*self.decisions, decision)
        if calls:
            changes["calls"] = (*self.calls, *calls)
        return changed(self, changes)

    def draft(self, tier: str) -> Draft | None:
        """Return the answer of a tier, or None where it gave none."""
        return next((draft for draft in self.drafts if draft.tier == tier), None)

    def redacted(self, redact: Callable[[str], str]) -> Self:
        """Return a copy whose texts are what a function makes of them, and whose passages have no metadata.

        Texts are the question, the passages and the drafts. The reasons of failures and decisions hold no text of
        documents or users and stay.
        """
        return dataclasses.replace(
            self,
            question=redact(self.question),
            passages=tuple(Passage(text=redact(passage.text), id=passage.id) for passage in self.passages),
            drafts=tuple(dataclasses.replace(draft, text=redact(draft.text)) for draft in self.drafts),
        )

    def to_data(self) -> dict[str, Any]:
        """Return the record as JSON values. Infinities and NaN, which JSON does not know, become their names."""
        data: dict[str, Any] = finite(self._with_passages())
        return data

    def to_json(self) -> str:
        """Return the record as one line of JSON, in ASCII: lone surrogates, which no encoding knows, survive it.

        JSON has no infinity and no NaN: they become the texts ``"Infinity"``, ``"-Infinity"`` and ``"NaN"``.
        """
        try:
            return _encode(self._with_passages())
        except ValueError:
            return _encode(self.to_data())

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` returned.

        Raises:
            ValueError: the values are no record, or one of a newer schema.
        """
        version = data.get("schema_version") if isinstance(data, dict) else None
        if version != SCHEMA_VERSION:
            raise ValueError(
                f"record has schema_version {version!r}; this version of automix-graph reads {SCHEMA_VERSION}: "
                "upgrade automix-graph, or record again"
            )
        try:
            read = {name: tuple(map(reader, data[name])) for name, reader in _READERS.items()}
            bill = Bill(**data["bill"]) if data.get("bill") else None
            return cls(**{**data, **read, "bill": bill})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no record of schema_version {SCHEMA_VERSION}: {error!r}") from error

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record that `to_json` wrote.

        Raises:
            ValueError: the text is no record, or one of a newer schema.
        """
        return cls.from_data(json.loads(text))

    def seal(self) -> str:
        """Return the record as one opaque line of ASCII.

        Rejected drafts travel through graph state, and state shows up in streams, events and traces that people read.
        Sealed, a draft cannot be shown by accident. This is an encoding, not encryption: the passages and the rest,
        each as one word (`automix_graph.records.sealing`), with points between them.
        """
        rest = sealed({**self._fields(), "passages": ()})
        return ".".join([*(passage.seal() for passage in self.passages), rest])

    @classmethod
    def unseal(cls, text: str) -> Self:
        """Read a record that `seal` wrote.

        Raises:
            ValueError: the text is no record, or one of a newer schema.
        """
        *passages, rest = map(unsealed, text.split("."))
        return cls.from_data({**rest, "passages": passages} if isinstance(rest, dict) else rest)

    def _fields(self) -> dict[str, Any]:
        """Return what `dataclasses.asdict` does but for the passages, many times faster; values are shared."""
        return {
            **vars(self),
            "drafts": [vars(draft) for draft in self.drafts],
            "verifications": [_verification_fields(verification) for verification in self.verifications],
            "decisions": [vars(decision) for decision in self.decisions],
            "calls": [{**vars(call), "usage": vars(call.usage)} for call in self.calls],
            "bill": None if self.bill is None else vars(self.bill),
        }

    def _with_passages(self) -> dict[str, Any]:
        return {**self._fields(), "passages": [passage.fields() for passage in self.passages]}


_encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def _verification_fields(verification: Verification) -> dict[str, Any]:
    reading = verification.reading
    return {**vars(verification), "reading": None if reading is None else vars(reading)}


def finite(data: Any) -> Any:
    """Return JSON values with the numbers that JSON does not know as the texts that `float` reads."""
    if isinstance(data, dict):
        return {name: finite(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
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


def read_call(data: Mapping[str, Any]) -> Call:
    """Read a call from JSON values."""
    return Call(**{**data, "usage": Usage(**data["usage"])})


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], object]]] = {
    "passages": lambda item: Passage(**item),
    "drafts": lambda item: Draft(**{**item, "logprobs": tuple(map(float, item.get("logprobs", ())))}),
    "verifications": _verification,
    "decisions": lambda item: Decision(**item),
    "calls": read_call,
}
"""How the values of each list of a record are read from JSON."""

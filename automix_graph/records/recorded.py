"""One line of a file of records: a question with what every tier did with it, and what the answers were worth."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from automix_graph.records.calls import Call
from automix_graph.records.record import Record, finite, read_call

AGREEMENT: Final = "agreement:"
"""How the name of a scorer begins whose scores say whether answers agree with the large model's, not whether they are
right."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A recorded question.

    Attributes:
        id: of the question, unique in a data set.
        settings: fingerprint of all that the recorded questions have in common: models, prompts, verifier, retrieval,
            scorer.
        row: fingerprint of the question's own row: the question, the gold answers and a context of its own.
        answers: gold answers; empty where none are known.
        record: what the tiers did; None where the question failed before there was anything to record.
        scores: in [0, 1], by tier; empty where the question failed or has no gold answer.
        scorer: how answers were scored, by name; None where they were not.
        scoring: model calls of the scorer; they are no cost of the question.
        error: why the question failed; None where all tiers answered and the answers were scored, or nobody scores.
        time: when it was recorded, in ISO 8601 with a time zone.
        origin: ``"shadow"`` or ``"audit"`` where a question of users was recorded, see `automix_graph.shadow`; else
            None.
        rate: at which such questions were drawn, in (0, 1].
        background: positions in the calls of the record of those that were made behind the question: its user has not
            waited for them, and its bill does not hold them.
        charged: for those calls and the scoring, in USD, where the file has a ceiling on cost or could be given one: a
            call of unknown cost is charged at its worst. None in other files.
    """

    id: str
    settings: str = ""
    row: str = ""
    answers: tuple[str, ...] = ()
    record: Record | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    scorer: str | None = None
    scoring: tuple[Call, ...] = ()
    error: str | None = None
    time: str | None = None
    origin: Literal["shadow", "audit"] | None = None
    rate: float | None = None
    background: tuple[int, ...] = ()
    charged: float | None = None

    def to_json(self) -> str:
        """Return one line of JSON, in ASCII."""
        data = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        data["scores"] = dict(self.scores)
        data["scoring"] = [dataclasses.asdict(call) for call in self.scoring]
        data["record"] = None if self.record is None else self.record.to_data()
        return json.dumps(finite(data), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is no line of a file of records.
        """
        return cls.from_data(json.loads(text))

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read the values of a line.

        Raises:
            ValueError: they are no line of a file of records.
        """
        try:
            return cls(
                **{
                    **data,
                    "answers": tuple(data["answers"]),
                    "record": None if data["record"] is None else Record.from_data(data["record"]),
                    "scores": {tier: float(score) for tier, score in data["scores"].items()},
                    "scoring": tuple(map(read_call, data["scoring"])),
                    "background": tuple(data.get("background", ())),
                }
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no line of a file of records: {error}") from error


def agreement_scorers(rows: Iterable[Recorded]) -> list[str]:
    """Return who scored by agreement with the large model, in the order of names; such scores are no quality.

    Example:
        >>> agreement_scorers([Recorded(id="1", scorer="agreement:auto"), Recorded(id="2", scorer="exact-match")])
        ['agreement:auto']
    """
    return sorted({row.scorer for row in rows if row.scorer is not None and row.scorer.startswith(AGREEMENT)})

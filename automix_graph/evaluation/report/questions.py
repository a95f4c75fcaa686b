"""The questions worth reading: those that cost most, and those where the verifier was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.outcomes import Outcomes, confidence_of, has_judgement
from automix_graph.evaluation.report.inert import Shown, shown
from automix_graph.evaluation.results import Evaluation
from automix_graph.records import Recorded

RIGHT: Final = 0.5
"""Quality from which an answer counts as right in these tables."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a tier answered.

    Attributes:
        tier: its name.
        quality: of the answer, in [0, 1].
        text: None where it is not known.
        committed: whether it is the answer that the policy gives.
    """

    tier: str
    quality: float
    text: Shown | None
    committed: bool


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question as a row of a table.

    Attributes:
        name: its id, or its row.
        text: None where it is not known.
        gold: right answers; empty where they are not known.
        answers: of the tiers, cheapest first.
        tier: whose verification the row is about.
        confidence: of that verification; None where it failed.
        verdict: of that verification, as a word.
        cost: under the policy, with verifications.
        always_large: what asking the last tier alone costs.
    """

    name: str
    text: Shown | None
    gold: tuple[Shown, ...]
    answers: tuple[Answer, ...]
    tier: str
    confidence: float | None
    verdict: str
    cost: float
    always_large: float


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table of questions.

    Attributes:
        name: unique in a report.
        title: for people.
        note: what is listed, how many there are, and in which order.
        questions: the first ones.
    """

    name: str
    title: str
    note: str
    questions: tuple[Question, ...]

    @property
    def has_gold(self) -> bool:
        """Whether a right answer is known to any of the questions."""
        return any(question.gold for question in self.questions)


_Place = tuple[int, int]
"""The row of a question, and the position of the tier whose verification it is about."""


@dataclass(frozen=True, kw_only=True)
class _Selection:
    name: str
    title: str
    note: str
    places: tuple[_Place, ...]


def listings(evaluation: Evaluation, records: Iterable[Recorded] | None, *, top: int) -> tuple[Listing, ...]:
    """Return the tables of the first policy.

    Args:
        evaluation: of any number of tiers.
        records: where the texts are; None where there are none.
        top: questions a table.

    Raises:
        ConfigurationError: the records cannot be told which question is whose.
    """
    outcomes = evaluation.outcomes
    recorded = {} if records is None else recorded_by_row(outcomes, tuple(records))
    counting = "" if outcomes.ids is not None or recorded else " Rows count from 0."
    found = []
    for chosen in _selections(evaluation):
        rows = tuple(_question(evaluation, row, at, recorded.get(row)) for row, at in chosen.places[:top])
        told = f"{len(rows):,} of {len(chosen.places):,} are shown.{counting}" if chosen.places else "There are none."
        found.append(Listing(name=chosen.name, title=chosen.title, note=f"{chosen.note} {told}", questions=rows))
    return tuple(found)


def _selections(evaluation: Evaluation) -> tuple[_Selection, ...]:
    outcomes, route = evaluation.outcomes, evaluation.policies[0].cascade.route
    graded = " An answer counts as right from quality 0.5 on." if any(tier.graded for tier in outcomes.tiers) else ""
    failed = sum(int((~has_judgement(tier)).sum()) for tier in outcomes.tiers[:-1])
    unjudged = f" Verifications that failed are not listed; {failed:,} did." if failed else ""
    return (
        _Selection(
            name="dearest",
            title="Questions that cost most",
            note="All questions, the dearest under the first policy first.",
            places=_dearest(evaluation),
        ),
        _Selection(
            name="kept-wrong",
            title="Kept although wrong",
            note=f"Answers that the first policy keeps although they are wrong, the most confident first.{graded}",
            places=_kept_wrong(outcomes, route),
        ),
        _Selection(
            name="escalated-right",
            title="Escalated although right",
            note="Answers that the first policy escalates although they are right, the least confident first."
            f"{graded}{unjudged}",
            places=_escalated_right(outcomes, route),
        ),
    )


def recorded_by_row(outcomes: Outcomes, records: Sequence[Recorded]) -> dict[int, Recorded]:
    """Return the record of each question, by its row: by id where the outcomes have ids, else in order.

    Raises:
        ConfigurationError: there are no ids, and another number of records than of questions.
    """
    if outcomes.ids is not None:
        by_id = {record.id: record for record in records}
        return {row: by_id[name] for row, name in enumerate(outcomes.ids) if name in by_id}
    if len(records) != outcomes.n:
        raise ConfigurationError(
            f"{len(records)} records were given for {outcomes.n} questions without ids; give outcomes that were read "
            "from these records, or one record a question in the same order"
        )
    return dict(enumerate(records))


def _dearest(evaluation: Evaluation) -> tuple[_Place, ...]:
    cascade = evaluation.policies[0].cascade
    judged = np.minimum(cascade.route, len(evaluation.outcomes.tiers) - 2)
    return tuple((int(row), int(judged[row])) for row in np.argsort(-cascade.cost, kind="stable"))


def _kept_wrong(outcomes: Outcomes, route: NDArray[np.intp]) -> tuple[_Place, ...]:
    wrong = [(route == at) & (tier.quality < RIGHT) for at, tier in enumerate(outcomes.tiers)]
    return _by_confidence(outcomes, wrong, falling=True)


def _escalated_right(outcomes: Outcomes, route: NDArray[np.intp]) -> tuple[_Place, ...]:
    right = [(route > at) & (tier.quality >= RIGHT) for at, tier in enumerate(outcomes.tiers)]
    return _by_confidence(outcomes, right, falling=False)


def _by_confidence(outcomes: Outcomes, chosen: Sequence[NDArray[np.bool_]], *, falling: bool) -> tuple[_Place, ...]:
    """Return (row, tier) of the chosen answers, surest mistakes first."""
    found = [
        (float(confidence_of(tier)[row]), int(row), at)
        for at, tier in enumerate(outcomes.tiers[:-1])
        for row in np.flatnonzero(chosen[at] & has_judgement(tier))
    ]
    found.sort(key=lambda each: (-each[0] if falling else each[0], each[1], each[2]))
    return tuple((row, at) for _, row, at in found)


def _question(evaluation: Evaluation, row: int, at: int, recorded: Recorded | None) -> Question:
    outcomes, cascade = evaluation.outcomes, evaluation.policies[0].cascade
    record = None if recorded is None else recorded.record
    drafts: Mapping[str, str] = {} if record is None else {draft.tier: draft.text for draft in record.drafts}
    tier = outcomes.tiers[at]
    sure = float(confidence_of(tier)[row])
    return Question(
        name=outcomes.ids[row] if outcomes.ids is not None else recorded.id if recorded else f"row {row}",
        text=None if record is None else shown(record.question),
        gold=() if recorded is None else tuple(map(shown, recorded.answers)),
        answers=tuple(
            Answer(
                tier=each.name,
                quality=float(each.quality[row]),
                text=shown(drafts[each.name]) if each.name in drafts else None,
                committed=int(cascade.route[row]) == position,
            )
            for position, each in enumerate(outcomes.tiers)
        ),
        tier=tier.name,
        confidence=None if np.isnan(sure) else sure,
        verdict=_verdict(outcomes, at, row),
        cost=float(cascade.cost[row]),
        always_large=float(outcomes.large.alone_cost[row]),
    )


def _verdict(outcomes: Outcomes, at: int, row: int) -> str:
    tier = outcomes.tiers[at]
    if tier.verifications is not None:
        verdict: str = tier.verifications[row].verdict.value
        return verdict
    return (
        ""
        if not has_judgement(tier)[row]
        else "CORRECT"
        if tier.correct is not None and tier.correct[row]
        else "INCORRECT"
    )

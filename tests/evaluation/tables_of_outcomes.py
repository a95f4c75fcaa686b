"""Random outcomes of two and three tiers, with many ties, for property tests."""

import numpy as np
from hypothesis import strategies as st

from automix_graph.evaluation import Outcomes, Tier
from automix_graph.records import Verdict, Verification

CONFIDENCES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.5, 0.8, 1.0])
QUALITIES = st.sampled_from([0.0, 1.0])
GRADES = st.sampled_from([0.0, 0.25, 0.5, 1.0])
COSTS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 20.0])
Row = tuple[float, float, float]


def two_tiers(rows: list[Row], small: float = 1.0, large: float = 20.0, verify: float = 0.15) -> Outcomes:
    """Outcomes from rows of (small quality, large quality, confidence)."""
    columns = np.array(rows).T
    first = Tier(name="small", quality=columns[0], cost=small, confidence=columns[2], verify_cost=verify)
    return Outcomes(tiers=(first, Tier(name="large", quality=columns[1], cost=large)))


def rows_of(quality: st.SearchStrategy[float] = QUALITIES) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(quality, quality, CONFIDENCES), min_size=1, max_size=12)


@st.composite
def priced_outcomes(draw: st.DrawFn) -> Outcomes:
    """Two tiers with graded qualities and a cost of its own for each question."""
    rows = draw(rows_of(GRADES))
    n = len(rows)
    costs = [draw(st.lists(COSTS, min_size=n, max_size=n)) for _ in range(3)]
    columns = np.array(rows).T
    small = Tier(name="small", quality=columns[0], cost=costs[0], confidence=columns[2], verify_cost=costs[1])
    return Outcomes(tiers=(small, Tier(name="large", quality=columns[1], cost=costs[2])))


@st.composite
def three_tiers(draw: st.DrawFn) -> Outcomes:
    n = draw(st.integers(1, 8))

    def column(values: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(values, min_size=n, max_size=n))

    tiers = [
        Tier(
            name=name,
            quality=column(GRADES),
            cost=column(COSTS),
            confidence=None if name == "c" else column(CONFIDENCES),
            verify_cost=column(COSTS),
        )
        for name in "abc"
    ]
    return Outcomes(tiers=tuple(tiers))


def verification(confidence: float | None, *, above: float = 0.5) -> Verification:
    """A verification with this confidence, CORRECT above some threshold of its own; None is one that failed."""
    if confidence is None:
        return Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="no verdict")
    verdict = Verdict.CORRECT if confidence > above else Verdict.INCORRECT
    return Verification(method="m", verdict=verdict, confidence=confidence)


def judged(rows: list[tuple[float, float, float | None]], *, above: float = 0.5) -> Outcomes:
    """Outcomes from rows of (small quality, large quality, confidence or None), with real verifications."""
    small = Tier(
        name="small",
        quality=[row[0] for row in rows],
        cost=1,
        verifications=[verification(row[2], above=above) for row in rows],
        verify_cost=0.5,
    )
    return Outcomes(tiers=(small, Tier(name="large", quality=[row[1] for row in rows], cost=20, alone_cost=22)))


def failing_verifications() -> st.SearchStrategy[Outcomes]:
    row = st.tuples(QUALITIES, QUALITIES, st.none() | CONFIDENCES)
    return st.lists(row, min_size=1, max_size=12).map(judged)

"""Outcomes with the question of each row: what is fitted, compared and certified."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.binning import Groups
from automix_graph.calibration.row_order import named_questions, ordered
from automix_graph.calibration.splitting import places_of
from automix_graph.columns import same_length
from automix_graph.evaluation.cascade import asking_cost
from automix_graph.evaluation.outcomes import Outcomes, confidence_of


@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionRows:
    """What every tier did, and which rows are of the same question.

    Attributes:
        outcomes: of every tier, in an order that does not hang on the one in which the rows came.
        codes: the question of each row as a number, shape (n,); likewise.
    """

    outcomes: Outcomes
    codes: NDArray[np.uint64]

    @classmethod
    def of(cls, outcomes: Outcomes, groups: Groups | None) -> Self:
        """Join outcomes and the questions of their rows.

        Args:
            outcomes: of every tier.
            groups: shape (n,); None: each row is a question of its own.

        Raises:
            ConfigurationError: there is not one group a row.
        """
        named = None if groups is None else named_questions(groups)
        same_length({"outcomes": outcomes.small.quality, **({} if named is None else {"groups": named})})
        order, codes = ordered(outcomes, named)
        # Names of questions are of no further use, and taking rows would copy them one by one.
        return cls(outcomes=dataclasses.replace(outcomes, ids=None).take(order), codes=codes)

    @property
    def n(self) -> int:
        """How many rows there are."""
        return self.codes.size

    @cached_property
    def questions(self) -> int:
        """How many different questions there are."""
        return int(np.unique(self.codes).size)

    @property
    def groups(self) -> NDArray[np.uint64] | None:
        """The question of each row, shape (n,), or None where no two rows share one."""
        return None if self.questions == self.n else self.codes

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """Whether every verification of a row came to a judgement, shape (n,)."""
        found = [~np.isnan(confidence_of(tier)) for tier in self.outcomes.tiers[:-1]]
        return np.asarray(np.logical_and.reduce(found), dtype=np.bool_)

    @cached_property
    def with_judgement(self) -> Self:
        """The rows that can be fitted: those whose verifications all came to a judgement."""
        return self if self.judged.all() else self.take(np.flatnonzero(self.judged))

    @property
    def costs(self) -> tuple[float, ...]:
        """What asking each tier costs in the mean, its verification included."""
        return tuple(float(asking_cost(tier).mean()) for tier in self.outcomes.tiers)

    def sample(self, questions: int, *, seed: int) -> Self:
        """Return all rows of so many questions drawn at random; everything where there are no more."""
        if self.questions <= questions:
            return self
        return self.take(np.flatnonzero(places_of(self.codes, seed=seed) < questions))

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return these rows only."""
        return type(self)(outcomes=self.outcomes.take(rows), codes=self.codes[rows])

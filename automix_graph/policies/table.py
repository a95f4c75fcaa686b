"""Policies whose decisions are looked up: a choice for every combination of bins of the confidences so far."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from automix_graph.errors import ConfigurationError
from automix_graph.policies.bins import Bins
from automix_graph.policies.charges import check_charges
from automix_graph.policies.policy import ABSTAIN, Judged
from automix_graph.records import Decision, Verification

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from automix_graph.policies.stopping import Joint, Stage

MOST_CELLS = 200_000
"""Combinations of bins beyond which a table is refused: it takes too long to solve, and no records fill it."""


class TablePolicy(ABC):
    """Looks up what `stopping.solve` found for the joint distribution that a subclass knows.

    Attributes:
        bins: of the confidences, for each tier but the last.
        costs: of asking each tier, its verification included, cheapest first, in one unit; the first is spent before
            anything is decided.
        lam: what a unit of cost is worth in quality.
        abstain_below: give up where no tier from the draft's on is expected to reach this quality, and asking on is
            not expected to be worth more; None: never.
    """

    bins: tuple[Bins, ...]
    costs: tuple[float, ...]
    lam: float
    abstain_below: float | None

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name with its parameters."""

    @abstractmethod
    def joint(self) -> Joint:
        """Return what is to be expected of all tiers."""

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The solution for each tier but the last."""
        from automix_graph.policies.stopping import solve

        return solve(self.joint(), costs=self.costs, lam=self.lam, abstain_below=self.abstain_below)

    @property
    def table(self) -> tuple[Any, ...]:
        """The decisions as JSON values: for each tier but the last, nested lists over the bins of tiers 0 to this one.

        A decision is the position of the tier to go to, the draft's own where it is kept, and -1 to give up. The last
        place of each list but the innermost stands for a tier that was not asked.
        """
        return tuple(stage.moves[..., :-1].tolist() for stage in self.stages)

    @property
    def keeps(self) -> str:
        """The intervals of confidence that are kept at the first tier."""
        first = self.bins[0].describe([move == 0 for move in self.table[0]])
        return first if len(self.bins) == 1 else f"at the first tier {first}, at later ones by table"

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Look up the bins of the confidences so far.

        Raises:
            ConfigurationError: there are more tiers than the policy was made for.
        """
        position = self._position(history)
        known = tuple(
            bins.count if found.confidence is None else bins.index(found.confidence)
            for bins, found in zip(self.bins, history, strict=False)
        )
        stage = self.stages[position]
        return self._decision(int(stage.moves[known]), position, [float(each[known]) for each in stage.values], history)

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,)."""
        kept: NDArray[np.bool_] = self.moves(history, len(self.costs)) == len(history) - 1
        return kept

    def moves(self, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return where every question goes, shape (n,).

        Raises:
            ConfigurationError: the policy was made for another number of tiers.
        """
        if tiers != len(self.costs):
            raise ConfigurationError(
                f"policy {self.name!r} is for {len(self.costs)} tiers, and there are {tiers}", code="policy-decision"
            )
        known = tuple(bins.indices(found.confidence) for bins, found in zip(self.bins, history, strict=False))
        return self.stages[self._position(history)].moves[known]

    def evidence(self, history: Sequence[Verification]) -> str:
        """Return in a few words what the verifications amount to, for the reason of a decision."""
        seen = [
            "none" if found.confidence is None else bins.label(bins.index(found.confidence))
            for bins, found in zip(self.bins, history, strict=False)
        ]
        return f"confidence in {', '.join(seen)}"

    def _position(self, history: Sequence[Any]) -> int:
        if not 0 < len(history) <= len(self.bins):
            raise ConfigurationError(
                f"policy {self.name!r} is for {len(self.costs)} tiers, of which the last is not verified; it was asked "
                f"to decide about {len(history)} verifications",
                code="policy-decision",
            )
        return len(history) - 1

    def _decision(self, move: int, position: int, values: list[float], history: Sequence[Verification]) -> Decision:
        keep, *later, give_up = values
        worth = [f"keeping is worth {keep:.3f}"]
        worth += [f"tier {position + step} {value:.3f}" for step, value in enumerate(later, start=1)]
        worth += [f"giving up {give_up:.3f}"] if math.isfinite(give_up) else []
        return Decision(
            accept=move == position,
            policy=self.name,
            reason=f"{self.evidence(history)}: {', '.join(worth)}",
            next_tier=move if move > position + 1 else None,
            abstain=move == ABSTAIN,
        )

    def _check_tiers(self) -> None:
        """Refuse numbers that do not fit together.

        Raises:
            ConfigurationError: there are not two tiers or more, one has no bins or cost, or there are too many cells.
        """
        if not self.bins or len(self.costs) != len(self.bins) + 1:
            raise ConfigurationError(
                f"there are bins for {len(self.bins)} tiers and costs of {len(self.costs)}; give bins for each tier "
                "but the last, and a cost for each"
            )
        check_charges(costs=self.costs, lam=self.lam, abstain_below=self.abstain_below)
        cells = math.prod(bins.count for bins in self.bins)
        if cells > MOST_CELLS:
            raise ConfigurationError(
                f"the bins of {len(self.bins)} tiers make {cells} combinations; use fewer bins, up to {MOST_CELLS} "
                "combinations"
            )


def probabilities(name: str, values: Sequence[float], count: int) -> tuple[float, ...]:
    """Return probabilities that are above 0 and sum to 1.

    Raises:
        ConfigurationError: they do not, or there are not as many.
    """
    found = tuple(float(value) for value in values)
    if len(found) != count or not all(value > 0.0 for value in found) or abs(math.fsum(found) - 1.0) > 1e-6:
        raise ConfigurationError(
            f"{name} is {_shortened(found)}; use {count} probabilities above 0 that sum to 1: smooth counts first"
        )
    return found


def qualities(name: str, values: Sequence[float], count: int) -> tuple[float, ...]:
    """Return qualities in [0, 1].

    Raises:
        ConfigurationError: one lies outside, or there are not as many.
    """
    found = tuple(float(value) for value in values)
    if len(found) != count or not all(0.0 <= value <= 1.0 for value in found):
        raise ConfigurationError(f"{name} is {_shortened(found)}; use {count} numbers in [0, 1]")
    return found


def _shortened(values: tuple[float, ...]) -> str:
    return repr(list(values)) if len(values) <= 12 else f"{list(values[:12])!r} and {len(values) - 12} more"

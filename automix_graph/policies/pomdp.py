"""A policy that infers how hard a question is, as in the AutoMix paper (arXiv 2310.12963, section 3.3).

How hard a question is cannot be seen; the confidences are noisy observations of it. The states, for tiers 0 to m, are
"tier s is the first that solves it" and "no tier does": for two tiers easy, needs large, unsolvable. From how often
each bin of confidence was seen in each state, Bayes' rule gives the belief after the confidences so far, and backward
induction over the tiers that are left gives what is best to do under that belief. Given the state, the confidences of
the tiers are taken to be independent of each other, and of quality.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.errors import ConfigurationError
from automix_graph.policies.bins import Bins
from automix_graph.policies.table import TablePolicy, probabilities, qualities
from automix_graph.records import Verification

if TYPE_CHECKING:
    from automix_graph.policies.stopping import Joint


@dataclass(frozen=True, kw_only=True)
class PomdpPolicy(TablePolicy):
    """Act on a belief about the hidden difficulty of the question: maximise E[quality] - lam * the cost to come.

    A partially observable Markov decision process whose horizon is the number of tiers, solved exactly: since the
    observations are bins, there are finitely many beliefs, and the solution is a table over bins. With two tiers it is
    Bayes' rule: escalate exactly if the sum over states of P(state | bin) * (large - small quality) > lam * cost. Tiers
    may be skipped. It needs far fewer rows than a joint table of all confidences (`OptimalStopping`), at the price of
    taking them for independent given the state.

    Attributes:
        bins: of the confidences, for each tier but the last.
        prior: probabilities of the states: first solved by tier 0, 1, …, by none; one more than there are tiers.
        observation: for each tier but the last, and each state, the probabilities of the bins.
        quality: for each tier, its expected quality in each state.
        costs: of asking each tier, its verification included, cheapest first, in one unit.
        lam: what a unit of cost is worth in quality, at least 0.
        abstain_below: give up where no tier from the draft's on is expected to reach this quality, and asking on is
            not expected to be worth more; None: never.

    Raises:
        ConfigurationError: the numbers do not fit together, or one is out of range.

    Example:
        >>> from automix_graph.records import Verdict, Verification
        >>> policy = PomdpPolicy(
        ...     bins=(Bins((0.5,)),),
        ...     prior=(0.5, 0.25, 0.25),
        ...     observation=(((0.2, 0.8), (0.6, 0.4), (0.8, 0.2)),),
        ...     quality=((1, 0, 0), (1, 1, 0)),
        ...     costs=(1, 20),
        ...     lam=0.01,
        ... )
        >>> policy.table
        ([1, 0],)
        >>> policy.decide([Verification(method="votes", verdict=Verdict.INCORRECT, confidence=0.25)]).reason
        'easy 0.222, needs large 0.333, unsolvable 0.444: keeping is worth 0.222, tier 1 0.356'
    """

    bins: tuple[Bins, ...]
    prior: tuple[float, ...]
    observation: tuple[tuple[tuple[float, ...], ...], ...]
    quality: tuple[tuple[float, ...], ...]
    costs: tuple[float, ...]
    lam: float
    abstain_below: float | None = None

    def __post_init__(self) -> None:
        self._check_tiers()
        tiers = len(self.costs)
        if len(self.observation) != tiers - 1 or any(len(given) != tiers + 1 for given in self.observation):
            raise ConfigurationError(
                f"observation has {[len(given) for given in self.observation]!r} states by tier; give {tiers + 1} for "
                f"each of the first {tiers - 1} tiers"
            )
        if len(self.quality) != tiers:
            raise ConfigurationError(f"quality is given for {len(self.quality)} of {tiers} tiers; give it for each")
        object.__setattr__(self, "prior", probabilities("prior", self.prior, tiers + 1))
        observation = tuple(
            tuple(probabilities(f"observation of tier {tier}", row, bins.count) for row in given)
            for tier, (bins, given) in enumerate(zip(self.bins, self.observation, strict=True))
        )
        object.__setattr__(self, "observation", observation)
        quality = [qualities(f"quality of tier {tier}", given, tiers + 1) for tier, given in enumerate(self.quality)]
        object.__setattr__(self, "quality", tuple(quality))

    @property
    def name(self) -> str:
        """``pomdp(lam)``, with what is abstained from where it is."""
        floor = "" if self.abstain_below is None else f", abstain below {self.abstain_below:g}"
        return f"pomdp(lam {self.lam:.4g}{floor})"

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states."""
        if len(self.costs) == 2:
            return ("easy", "needs large", "unsolvable")
        return (*(f"solved by tier {tier}" for tier in range(len(self.costs))), "unsolvable")

    def belief(self, history: Sequence[Verification]) -> tuple[float, ...]:
        """Return the probabilities of the states after the verifications so far, by Bayes' rule.

        A tier without a confidence, be it that it was not asked, tells nothing.
        """
        weights = list(self.prior)
        for bins, observation, found in zip(self.bins, self.observation, history, strict=False):
            if found.confidence is not None:
                seen = bins.index(found.confidence)
                weights = [weight * row[seen] for weight, row in zip(weights, observation, strict=True)]
        total = math.fsum(weights)
        return tuple(weight / total for weight in weights)

    def evidence(self, history: Sequence[Verification]) -> str:
        """Return the belief, for the reason of a decision."""
        return ", ".join(f"{state} {share:.3f}" for state, share in zip(self.states, self.belief(history), strict=True))

    def joint(self) -> Joint:
        """Return what is to be expected of all tiers: the sum over the states of all that is in one."""
        import numpy as np

        from automix_graph.policies.stopping import Joint

        cells = np.array(self.prior)
        for given in self.observation:
            chances = np.array(given)
            cells = cells[..., np.newaxis] * chances.reshape(len(cells), *(1,) * (cells.ndim - 1), chances.shape[1])
        mass = cells.sum(axis=0)
        return Joint(mass=mass, quality=np.tensordot(np.array(self.quality), cells, axes=1) / mass)

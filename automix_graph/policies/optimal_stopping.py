"""A policy for any number of tiers, that may skip some, worked out from a table of what happened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.errors import ConfigurationError
from automix_graph.policies.bins import Bins
from automix_graph.policies.table import TablePolicy, probabilities, qualities

if TYPE_CHECKING:
    from automix_graph.policies.stopping import Joint


@dataclass(frozen=True, kw_only=True)
class OptimalStopping(TablePolicy):
    """After each draft, do what maximises E[quality | confidences so far] - lam * the cost to come.

    The choices are to keep the draft, to ask the next tier, or to skip to a later one; solved exactly by backward
    induction over the bins of all confidences (`policies.stopping`). With two tiers it is a `UtilityPolicy` over the
    same bins.

    Attributes:
        bins: of the confidences, for each tier but the last.
        mass: probability that the confidences fall into each combination of bins, the last tier's bin running fastest;
            all above 0.
        quality: for each tier its expected quality in each of these combinations.
        costs: of asking each tier, its verification included, cheapest first, in one unit.
        lam: what a unit of cost is worth in quality, at least 0.
        abstain_below: give up where no tier from the draft's on is expected to reach this quality, and asking on is
            not expected to be worth more; None: never.

    Raises:
        ConfigurationError: the numbers do not fit together, or one is out of range.

    Example:
        >>> from automix_graph.records import Verdict, Verification
        >>> policy = OptimalStopping(
        ...     bins=(Bins((0.5,)),), mass=(0.5, 0.5), quality=((0.2, 0.9), (0.8, 0.95)), costs=(1, 20), lam=0.01
        ... )
        >>> policy.decide([Verification(method="votes", verdict=Verdict.CORRECT, confidence=0.75)]).reason
        'confidence in [0.5, 1]: keeping is worth 0.900, tier 1 0.750'
    """

    bins: tuple[Bins, ...]
    mass: tuple[float, ...]
    quality: tuple[tuple[float, ...], ...]
    costs: tuple[float, ...]
    lam: float
    abstain_below: float | None = None

    def __post_init__(self) -> None:
        self._check_tiers()
        cells = math.prod(bins.count for bins in self.bins)
        if len(self.quality) != len(self.costs):
            raise ConfigurationError(
                f"there are qualities of {len(self.quality)} tiers and costs of {len(self.costs)}; give both for each"
            )
        object.__setattr__(self, "mass", probabilities("mass", self.mass, cells))
        quality = [qualities(f"quality of tier {tier}", given, cells) for tier, given in enumerate(self.quality)]
        object.__setattr__(self, "quality", tuple(quality))

    @property
    def name(self) -> str:
        """``optimal-stopping(lam)``, with what is abstained from where it is."""
        floor = "" if self.abstain_below is None else f", abstain below {self.abstain_below:g}"
        return f"optimal-stopping(lam {self.lam:.4g}{floor})"

    def joint(self) -> Joint:
        """Return what is to be expected of all tiers."""
        import numpy as np

        from automix_graph.policies.stopping import Joint

        shape = tuple(bins.count for bins in self.bins)
        return Joint(
            mass=np.array(self.mass).reshape(shape), quality=np.array(self.quality).reshape(len(self.costs), *shape)
        )

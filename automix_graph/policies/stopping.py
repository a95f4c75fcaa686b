"""When to stop asking: the exact solution for any number of tiers, by backward induction.

After the draft of tier i the choices are to keep it, to ask tier i + 1, to skip to any later one, or to give up. What
is known by then are the bins of the confidences of the tiers that were asked. With the joint distribution of all of
them and the expected quality of every tier in each of its cells, the value of a choice is

- keep: E[quality of tier i | what is known];
- ask tier j: the mean of the best that can be done with its confidence as well, less lam * cost of tier j;
- ask the last tier, which nobody verifies: E[its quality | what is known] - lam * its cost;
- give up: ``abstain_below``, where no tier from i on is expected to reach that.

There are as many states as there are combinations of bins, one of them for "was not asked"; each is solved once, from
the last judged tier to the first. How the joint distribution came about is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from automix_graph.policies.policy import ABSTAIN

_TIE = 1e-12
"""Choices this close in value are equal, so that the last bit of a sum decides nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """What is to be expected of all tiers, m of which are judged.

    Attributes:
        mass: probability that the confidences fall into a cell of bins, shape (b_0, ..., b_{m-1}), above 0.
        quality: expected quality of each tier in each cell, shape (m + 1, b_0, ..., b_{m-1}).
    """

    mass: NDArray[np.float64]
    quality: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """The solution for the draft of one judged tier i, by the bins of all confidences so far.

    The axes are those of tiers 0 to i. The last place of each stands for a tier that was not asked, or has no
    confidence; the draft at hand has one, and its last place escalates.

    Attributes:
        moves: shape (b_0 + 1, ..., b_i + 1); i: keep, above i: ask that tier, `ABSTAIN`: give up.
        values: of the choices in order: keep, each later tier, give up; shape (choices, b_0 + 1, ..., b_i + 1), in
            quality net of lam * the costs to come. Minus infinity where giving up is not allowed.
    """

    moves: NDArray[np.intp]
    values: NDArray[np.float64]


def solve(joint: Joint, *, costs: Sequence[float], lam: float, abstain_below: float | None = None) -> tuple[Stage, ...]:
    """Return the best choices at every judged tier.

    Ties go to keeping, then to the nearest tier.

    Args:
        joint: of m judged tiers and the last one.
        costs: of asking each tier, its verification included, m + 1 of them; the first is spent already.
        lam: what a unit of cost is worth in quality.
        abstain_below: what giving up is worth, allowed where no tier from the draft's on is expected to reach it.

    Example:
        >>> joint = Joint(mass=np.array([0.5, 0.5]), quality=np.array([[0.2, 0.9], [0.8, 0.95]]))
        >>> solve(joint, costs=(1, 20), lam=0.01)[0].moves
        array([1, 0, 1])
    """
    bins, judged = joint.mass.shape, joint.mass.ndim
    stages: list[Stage] = []
    best: dict[tuple[bool, ...], NDArray[np.float64]] = {}
    for tier in reversed(range(judged)):
        shape = tuple(count + 1 for count in bins[: tier + 1])
        moves = np.full(shape, tier + 1, dtype=np.intp)
        values = np.full((judged + 2 - tier, *shape), -np.inf)
        for earlier in product((True, False), repeat=tier):
            asked = (*earlier, True) + (False,) * (judged - tier - 1)
            found = _values(joint, asked, best, costs=costs, lam=lam, abstain_below=abstain_below)
            place = tuple(slice(count) if seen else slice(count, None) for count, seen in zip(bins, asked, strict=True))
            place = place[: tier + 1]
            conditional = found / _marginal(joint.mass, asked)
            values[:, *place] = conditional.reshape(values[:, *place].shape)
            choices = np.array([*range(tier, judged + 1), ABSTAIN], dtype=np.intp)
            top = conditional >= conditional.max(axis=0) - _TIE
            moves[place] = choices[top.argmax(axis=0)].reshape(moves[place].shape)
            best[asked] = found.max(axis=0)
        stages.insert(0, Stage(moves=moves, values=values))
    return tuple(stages)


def _values(
    joint: Joint,
    asked: tuple[bool, ...],
    best: dict[tuple[bool, ...], NDArray[np.float64]],
    *,
    costs: Sequence[float],
    lam: float,
    abstain_below: float | None,
) -> NDArray[np.float64]:
    """Return the values of all choices after these tiers, times the mass; axes of tiers not asked have length 1."""
    judged = joint.mass.ndim
    tier = max(position for position, seen in enumerate(asked) if seen)
    mass = _marginal(joint.mass, asked)
    quality = [_marginal(joint.mass * joint.quality[later], asked) for later in range(tier, judged + 1)]
    found = [quality[0]]
    for later in range(tier + 1, judged):
        then = best[(*asked[:later], True, *asked[later + 1 :])]
        found.append(then.sum(axis=later, keepdims=True) - lam * costs[later] * mass)
    found.append(quality[-1] - lam * costs[judged] * mass)
    floor = -np.inf if abstain_below is None else abstain_below
    hopeless = np.max(quality, axis=0) < (floor - _TIE) * mass
    found.append(np.where(hopeless, floor * mass, -np.inf))
    return np.stack(found)


def _marginal(cells: NDArray[np.float64], asked: tuple[bool, ...]) -> NDArray[np.float64]:
    """Sum out the tiers that were not asked, whose axes stay with length 1."""
    axes = tuple(axis for axis, seen in enumerate(asked) if not seen)
    total: NDArray[np.float64] = cells.sum(axis=axes, keepdims=True)
    return total

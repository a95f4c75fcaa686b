"""Which numbers a policy can be made of, and what it says of others."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from example_policies import BEST, HALVES, POMDP, STOPPING, STOPPING_OF_THREE, UTILITY
from verifications import judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import Bins, Capped, DoubleThreshold, PerTier, StepCurve, Threshold
from automix_graph.policies.table import MOST_CELLS


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"bins": ()}, "bins for 0 tiers and costs of 2"),
        ({"costs": (1, 5, 20)}, "bins for 1 tiers and costs of 3"),
        ({"costs": (1, -20)}, "cost is -20"),
        ({"mass": (0.5, 0.6)}, "above 0 that sum to 1"),
        ({"mass": (0.0, 1.0)}, "above 0 that sum to 1"),
        ({"mass": (1.0,)}, "use 2 probabilities"),
        ({"quality": ((0.2, 0.9),)}, "qualities of 1 tiers"),
        ({"quality": ((0.2, 0.9), (0.8, 1.1))}, r"quality of tier 1 is \[0.8, 1.1\]; use 2 numbers in \[0, 1\]"),
        ({"bins": (Bins.equal(450),) * 2, "costs": (1, 2, 3)}, "make 202500 combinations"),
    ],
)
def test_a_stopping_policy_checks_its_numbers(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        dataclasses.replace(STOPPING, **wrong)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"prior": (0.5, 0.5)}, "prior is .*use 3 probabilities"),
        ({"observation": ()}, r"observation has \[\] states by tier; give 3 for each of the first 1"),
        ({"observation": (((0.2, 0.8), (0.6, 0.4)),)}, r"observation has \[2\]"),
        ({"observation": (((0.2, 0.8), (0.6, 0.4), (1.0, 0.0)),)}, "observation of tier 0"),
        ({"quality": ((1, 0, 0),)}, "quality is given for 1 of 2 tiers"),
        ({"quality": ((1, 0), (1, 1, 0))}, "quality of tier 0"),
        ({"lam": -1}, "lam is -1"),
    ],
)
def test_a_pomdp_checks_its_numbers(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        dataclasses.replace(POMDP, **wrong)


def test_numbers_of_any_sequence_become_tuples_of_floats() -> None:
    assert (Bins([0.5, 1]).edges, StepCurve(bins=Bins(), values=[1]).values) == ((0.5, 1.0), (1.0,))  # type: ignore[arg-type]
    assert PerTier([Threshold(0.5)]).policies == (Threshold(0.5),)  # type: ignore[arg-type]
    lists = json.loads(json.dumps({"mass": STOPPING_OF_THREE.mass, "quality": STOPPING_OF_THREE.quality}))
    assert dataclasses.replace(STOPPING_OF_THREE, **lists) == STOPPING_OF_THREE
    assert hash(dataclasses.replace(STOPPING_OF_THREE, **lists)) == hash(STOPPING_OF_THREE)
    lists = json.loads(json.dumps({name: getattr(POMDP, name) for name in ("prior", "observation", "quality")}))
    assert dataclasses.replace(POMDP, **lists) == POMDP
    assert hash(dataclasses.replace(POMDP, **lists)) == hash(POMDP)


def test_the_ends_of_what_is_allowed_are_allowed() -> None:
    assert DoubleThreshold(0.0, 1.0).decide([judged(1.0)]).accept
    for floor in (0.0, 1.0):
        assert dataclasses.replace(UTILITY, best=BEST, abstain_below=floor).abstain_below == floor
        assert dataclasses.replace(STOPPING_OF_THREE, abstain_below=floor).abstain_below == floor
    with pytest.raises(ValueError, match=r"abstain_below is 1\.5"):
        dataclasses.replace(STOPPING_OF_THREE, abstain_below=1.5)


CELLS = f"the bins of 1 tiers make {MOST_CELLS + 1} combinations; use fewer bins, up to {MOST_CELLS} combinations"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: PerTier(()), "there is no policy; give one for each tier but the last"),
        (lambda: Capped(Threshold(0.5), True), "max_tiers is True; use a whole number of at least 1"),
        (lambda: Capped(Threshold(0.5), 1.5), "max_tiers is 1.5; use a whole number of at least 1"),  # type: ignore[arg-type]
        (
            lambda: dataclasses.replace(STOPPING, costs=(1,)),
            "there are bins for 1 tiers and costs of 1; give bins for each tier but the last, and a cost for each",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=(0.5, 0.6)),
            "mass is [0.5, 0.6]; use 2 probabilities above 0 that sum to 1: smooth counts first",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=(0.5,) * 12),
            f"mass is {[0.5] * 12}; use 2 probabilities above 0 that sum to 1: smooth counts first",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=(0.5,) * 15),
            f"mass is {[0.5] * 12} and 3 more; use 2 probabilities above 0 that sum to 1: smooth counts first",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=tuple(k / 8 for k in range(13))),
            f"mass is {[k / 8 for k in range(12)]} and 1 more; use 2 probabilities above 0 that sum to 1: smooth "
            "counts first",
        ),
        (lambda: dataclasses.replace(STOPPING, bins=(Bins.equal(MOST_CELLS + 1),)), CELLS),
        (
            lambda: StepCurve(bins=HALVES, values=(0.5, float("inf"))),
            "a curve over 2 bins has the values [0.5, inf]; give one number a bin",
        ),
        (
            lambda: Bins((0.5, 0.5)),
            "the edges of bins are [0.5, 0.5]; use strictly increasing numbers above 0 and at most 1",
        ),
    ],
)
def test_parameters_that_cannot_be_are_told(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match="^" + re.escape(message) + "$"):
        act()


def test_as_many_cells_as_are_allowed_are_allowed() -> None:
    with pytest.raises(ConfigurationError, match="use 200000 probabilities"):
        dataclasses.replace(STOPPING, bins=(Bins.equal(MOST_CELLS),))

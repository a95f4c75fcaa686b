"""Outcomes that were simulated, and evaluations as the plain data of a file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from tables_of_outcomes import two_tiers

from automix_graph.evaluation import Outcomes, evaluate, evaluation_dict
from automix_graph.evaluation.outcomes import escalation_order
from automix_graph.policies import Policy


def simulated(n: int = 300) -> Outcomes:
    generator = np.random.default_rng(3)
    confidence = np.round(generator.random(n), 2)
    small, large = generator.random(n) < confidence, generator.random(n) < 0.9
    return two_tiers([tuple(map(float, row)) for row in zip(small, large, confidence, strict=True)])


def by_confidence(outcomes: Outcomes) -> Outcomes:
    return outcomes.take(np.argsort(escalation_order(outcomes.small), kind="stable"))


def plain(outcomes: Outcomes, *policies: Policy, n_resamples: int = 5, seed: int = 0) -> dict[str, Any]:
    found = (
        evaluate(outcomes, policies, n_resamples=n_resamples, seed=seed)
        if policies
        else evaluate(outcomes, n_resamples=n_resamples, seed=seed)
    )
    data: dict[str, Any] = json.loads(json.dumps(evaluation_dict(found), allow_nan=False))
    return data

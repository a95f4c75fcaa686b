"""Policies: what to do with a verified draft."""

from automix_graph.policies.band import DoubleThreshold
from automix_graph.policies.bins import Bins, StepCurve
from automix_graph.policies.fixed import Always, RandomMix
from automix_graph.policies.following import Paths, follow, moves_of
from automix_graph.policies.forms import policy_from_data, policy_to_data
from automix_graph.policies.made_for import MadeFor, TierMade, VerifierMade
from automix_graph.policies.optimal_stopping import OptimalStopping
from automix_graph.policies.policy import (
    ABSTAIN,
    ColumnPolicy,
    Judged,
    LimitingPolicy,
    MovingPolicy,
    Policy,
    QuestionPolicy,
    decide,
)
from automix_graph.policies.pomdp import PomdpPolicy
from automix_graph.policies.provenance import Provenance
from automix_graph.policies.saved import load_policy, load_provenance, save_policy
from automix_graph.policies.table import TablePolicy
from automix_graph.policies.threshold import AcceptCorrect, Threshold
from automix_graph.policies.utility import UtilityPolicy
from automix_graph.policies.wrapping import Capped, PerTier
from automix_graph.records import SKIPPED

__all__ = [
    "ABSTAIN",
    "SKIPPED",
    "AcceptCorrect",
    "Always",
    "Bins",
    "Capped",
    "ColumnPolicy",
    "DoubleThreshold",
    "Judged",
    "LimitingPolicy",
    "MadeFor",
    "MovingPolicy",
    "OptimalStopping",
    "Paths",
    "PerTier",
    "Policy",
    "PomdpPolicy",
    "Provenance",
    "QuestionPolicy",
    "RandomMix",
    "StepCurve",
    "TablePolicy",
    "Threshold",
    "TierMade",
    "UtilityPolicy",
    "VerifierMade",
    "decide",
    "follow",
    "load_policy",
    "load_provenance",
    "moves_of",
    "policy_from_data",
    "policy_to_data",
    "save_policy",
]

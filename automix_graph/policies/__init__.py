"""Policies: what to do with a verified draft."""

from automix_graph.policies.policy import ColumnPolicy, Judged, Policy, decide
from automix_graph.policies.saved import load_policy, save_policy
from automix_graph.policies.threshold import AcceptCorrect, Threshold

__all__ = [
    "AcceptCorrect",
    "ColumnPolicy",
    "Judged",
    "Policy",
    "Threshold",
    "decide",
    "load_policy",
    "save_policy",
]

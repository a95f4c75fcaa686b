"""Policies: what to do with a verified draft."""

from automix_graph.policies.policy import Policy, decide
from automix_graph.policies.threshold import AcceptCorrect, Threshold

__all__ = ["AcceptCorrect", "Policy", "Threshold", "decide"]

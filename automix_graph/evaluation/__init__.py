"""How good answers, confidences and decisions were, as numbers with intervals. Nothing here calls a model."""

from automix_graph.evaluation.answers import contains, exact_match, f1, is_correct
from automix_graph.evaluation.bootstrap import Interval, bootstrap_interval
from automix_graph.evaluation.calibration_error import accuracy_at, brier, ece
from automix_graph.evaluation.discrimination import auroc

__all__ = [
    "Interval",
    "accuracy_at",
    "auroc",
    "bootstrap_interval",
    "brier",
    "contains",
    "ece",
    "exact_match",
    "f1",
    "is_correct",
]

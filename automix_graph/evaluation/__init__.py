"""How good answers, confidences and decisions were, as numbers with intervals. Nothing here calls a model."""

from automix_graph.evaluation.answers import contains, exact_match, f1, is_correct
from automix_graph.evaluation.bootstrap import Interval, bootstrap_interval
from automix_graph.evaluation.calibration_error import accuracy_at, brier, ece
from automix_graph.evaluation.cascade import Cascade, replay, run_cascade
from automix_graph.evaluation.curve import EscalationCurve, apgr, best_threshold, cpt, escalation_curve
from automix_graph.evaluation.discrimination import auroc
from automix_graph.evaluation.evaluation import evaluate
from automix_graph.evaluation.frontier import aiq, frontier
from automix_graph.evaluation.gain import GainBin, gain_by_confidence
from automix_graph.evaluation.joint_intervals import joint_intervals
from automix_graph.evaluation.left_out import LeftOut
from automix_graph.evaluation.lift import Ends, ibc, ibc_lift, pgr, random_mix
from automix_graph.evaluation.outcomes import Outcomes, Tier
from automix_graph.evaluation.plain import evaluation_dict
from automix_graph.evaluation.record_files import RecordFile, read_records
from automix_graph.evaluation.recorded_outcomes import outcomes_of
from automix_graph.evaluation.results import Evaluation, Measures, PolicyResult
from automix_graph.evaluation.tier_columns import TierColumns, read_outcomes
from automix_graph.evaluation.undefined import Measured, Undefined

__all__ = [
    "Cascade",
    "Ends",
    "EscalationCurve",
    "Evaluation",
    "GainBin",
    "Interval",
    "LeftOut",
    "Measured",
    "Measures",
    "Outcomes",
    "PolicyResult",
    "RecordFile",
    "Tier",
    "TierColumns",
    "Undefined",
    "accuracy_at",
    "aiq",
    "apgr",
    "auroc",
    "best_threshold",
    "bootstrap_interval",
    "brier",
    "contains",
    "cpt",
    "ece",
    "escalation_curve",
    "evaluate",
    "evaluation_dict",
    "exact_match",
    "f1",
    "frontier",
    "gain_by_confidence",
    "ibc",
    "ibc_lift",
    "is_correct",
    "joint_intervals",
    "outcomes_of",
    "pgr",
    "random_mix",
    "read_outcomes",
    "read_records",
    "replay",
    "run_cascade",
]

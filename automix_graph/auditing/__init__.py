"""Whether a policy still does what was found when it was calibrated, from records of users' questions."""

from automix_graph.auditing.audit import Audit, audit
from automix_graph.auditing.drift import Drift, drift_between
from automix_graph.auditing.quality import Quality
from automix_graph.auditing.sequences import bernoulli_e_value, lower_sequence, upper_sequence
from automix_graph.auditing.trend import Block
from automix_graph.auditing.verdict import AuditVerdict

__all__ = [
    "Audit",
    "AuditVerdict",
    "Block",
    "Drift",
    "Quality",
    "audit",
    "bernoulli_e_value",
    "drift_between",
    "lower_sequence",
    "upper_sequence",
]

"""What one question did, as plain values: passages, calls, drafts, verifications, decisions, and the record of them.

All values are frozen and hold only JSON types, so that a record can be stored anywhere and decided again under another
policy without calling a model. Nothing here knows a model, a price or a policy.
"""

from automix_graph.records.calls import Call, Stage, Usage
from automix_graph.records.changing import changed
from automix_graph.records.judging import SKIPPED, Decision, Reading, Verdict, Verification
from automix_graph.records.record import SCHEMA_VERSION, Bill, Draft, Passage, Record, Route
from automix_graph.records.recorded import AGREEMENT, Recorded, agreement_scorers
from automix_graph.records.redaction import is_redacted, redacted_text
from automix_graph.records.tiers import (
    ABSTAINED,
    FIRST,
    LAST,
    answer_stage,
    is_answer,
    is_verification,
    stages,
    tier_names,
    tiers_among,
    verify_stage,
)

__all__ = [
    "ABSTAINED",
    "AGREEMENT",
    "FIRST",
    "LAST",
    "SCHEMA_VERSION",
    "SKIPPED",
    "Bill",
    "Call",
    "Decision",
    "Draft",
    "Passage",
    "Reading",
    "Record",
    "Recorded",
    "Route",
    "Stage",
    "Usage",
    "Verdict",
    "Verification",
    "agreement_scorers",
    "answer_stage",
    "changed",
    "is_answer",
    "is_redacted",
    "is_verification",
    "redacted_text",
    "stages",
    "tier_names",
    "tiers_among",
    "verify_stage",
]

"""What the judge reads: all passages as they are, as many as fit, or only the sentences that bear on the case."""

from automix_graph.verification.reading.budget import WithinBudget
from automix_graph.verification.reading.evidence import EvidenceOnly
from automix_graph.verification.reading.tokens import approximate_tokens

__all__ = ["EvidenceOnly", "WithinBudget", "approximate_tokens"]

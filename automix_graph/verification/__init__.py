"""How confidence in an answer is obtained."""

from automix_graph.verification.short import ShortVerdict
from automix_graph.verification.token_probability import TokenProbability
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed

__all__ = ["Case", "Judgement", "ShortVerdict", "TokenProbability", "Verifier", "failed"]

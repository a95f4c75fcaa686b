"""How confidence in an answer is obtained: a family of interchangeable verifiers."""

from automix_graph.verification.answer_confidence import AnswerConfidence, answer_features
from automix_graph.verification.asking import UnusableScoreError
from automix_graph.verification.combined import Combined, fit_combined
from automix_graph.verification.function import FunctionVerifier, as_verifier
from automix_graph.verification.likelihood import Likelihood
from automix_graph.verification.logistic import Logistic, fit_logistic
from automix_graph.verification.prompting import VerifyPrompt, chat_template
from automix_graph.verification.reading import EvidenceOnly, WithinBudget, approximate_tokens
from automix_graph.verification.reasoned import ReasonedVerdict
from automix_graph.verification.short import ShortVerdict
from automix_graph.verification.token_probability import TokenProbability
from automix_graph.verification.two_stage import TwoStage
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed
from automix_graph.verification.votes import Votes

__all__ = [
    "AnswerConfidence",
    "Case",
    "Combined",
    "EvidenceOnly",
    "FunctionVerifier",
    "Judgement",
    "Likelihood",
    "Logistic",
    "ReasonedVerdict",
    "ShortVerdict",
    "TokenProbability",
    "TwoStage",
    "UnusableScoreError",
    "Verifier",
    "VerifyPrompt",
    "Votes",
    "WithinBudget",
    "answer_features",
    "approximate_tokens",
    "as_verifier",
    "chat_template",
    "failed",
    "fit_combined",
    "fit_logistic",
]

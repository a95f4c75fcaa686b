"""Which verifier and which policy a graph gets when the caller does not say, and why."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel, named
from automix_graph.models.catalog import CATALOG, LOCAL_PREFIX
from automix_graph.policies import AcceptCorrect, Policy
from automix_graph.verification import ShortVerdict, TokenProbability, Verifier, as_verifier


def choose_verifier(
    verifier: str | BaseChatModel | Verifier | None, *, small: NamedModel, large: NamedModel
) -> Verifier:
    """Return the verifier that the caller named or gave; None is the large model.

    Raises:
        ConfigurationError: it is neither a verifier nor a model.
    """
    if verifier is None or verifier == "large":
        return _judged_by(large)
    if verifier == "small":
        return _judged_by(small)
    if isinstance(verifier, str | BaseChatModel):
        return _judged_by(named(verifier))
    if (found := as_verifier(verifier)) is not None:
        return found
    raise ConfigurationError(
        f"verifier is {verifier!r}; give None, 'small', 'large', a model's name, a chat model, a Verifier (an object "
        "with method, verify and averify), or a function or Runnable that returns a confidence in [0, 1]"
    )


def choose_policy(policy: Policy | None) -> Policy:
    """Return the policy that the caller gave, else the one that follows the verdict.

    Raises:
        ConfigurationError: it is no policy.
    """
    if policy is None:
        return AcceptCorrect()
    if isinstance(policy, Policy) and not isinstance(policy, type):
        return policy
    raise ConfigurationError(
        f"policy is {policy!r}; give None, Threshold(minimum), or an object with name and decide(history)"
    )


def _judged_by(judge: NamedModel) -> Verifier:
    # The generated word of the embedded judge accepts far too much; the probability behind the word tells more.
    name = judge.label.removeprefix(LOCAL_PREFIX)
    embedded = CATALOG.get(name) if name != judge.label else None
    if embedded is None or embedded.verdict_threshold is None:
        return ShortVerdict(judge=judge)
    return TokenProbability(judge=judge, threshold=embedded.verdict_threshold)

"""Which verifier and which policy a graph gets when the caller does not say, and why."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel, named
from automix_graph.models.retrying import Retries
from automix_graph.policies import AcceptCorrect, Policy
from automix_graph.verification import Likelihood, ShortVerdict, Verifier, as_verifier
from automix_graph.verification.scales import measured_scale


def choose_verifier(
    verifier: str | BaseChatModel | NamedModel | Verifier | None,
    *,
    small: NamedModel,
    large: NamedModel,
    retries: Retries | None = None,
) -> Verifier:
    """Return the verifier that the caller named or gave; None is the large model, which is the last of more than two.

    Raises:
        ConfigurationError: it is neither a verifier nor a model.
    """
    if verifier is None or verifier == "large":
        return _judged_by(large)
    if verifier == "small":
        return _judged_by(small)
    if isinstance(verifier, str | BaseChatModel | NamedModel):
        return _judged_by(_judge(verifier, retries))
    if isinstance(verifier, type):
        raise ConfigurationError(
            f"verifier is the class {verifier.__name__}; give an instance, such as {verifier.__name__}(...)",
            code="bad-verifier",
        )
    if (found := as_verifier(verifier)) is not None:
        return found
    raise ConfigurationError(
        f"verifier is {verifier!r}; give None, 'small', 'large', a model's name, a chat model, a Verifier (an object "
        "with method, verify and averify), or a function or Runnable that returns a confidence in [0, 1]",
        code="bad-verifier",
    )


def _judge(model: str | BaseChatModel | NamedModel, retries: Retries | None) -> NamedModel:
    try:
        return named(model, retries=retries)
    except ConfigurationError as error:
        if error.code != "unknown-model":
            raise
        raise ConfigurationError(
            f"the verifier is no model: {error}. Ways to judge that are no model are values, such as "
            "verifier=Votes(judge=...)",
            code="unknown-model",
        ) from error


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
        f"policy is {policy!r}; give None, Threshold(minimum), load_policy(PATH), or an object with name and "
        "decide(history)"
    )


def _judged_by(judge: NamedModel) -> Verifier:
    # The embedded judge's words accept far too much, and how probable it finds an answer tells more than how probable
    # it finds the word "Correct" (README, Verification). A hosted model scores no given text, and many report no
    # log-probabilities at all; all of them can write a word.
    scale = measured_scale(judge.label)
    return ShortVerdict(judge=judge) if scale is None else Likelihood(judge=judge, scale=scale)

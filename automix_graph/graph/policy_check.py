"""Whether a policy was calibrated for the parts of the graph that is to follow it."""

from __future__ import annotations

from automix_graph.errors import ConfigurationError
from automix_graph.graph.parts import Parts, TierParts
from automix_graph.policies import Policy
from automix_graph.policies.made_for import MadeFor, TierMade, VerifierMade, made_for
from automix_graph.prompts import PromptChoice
from automix_graph.verification.verifier import models_of


def require_made_for(policy: Policy, parts: Parts) -> None:
    """Refuse a policy that was calibrated behind other models, prompts or another verifier.

    Raises:
        ConfigurationError: it was.
    """
    running = parts_of(parts)
    for made in made_for(policy):
        if differences := made.differences(running):
            raise ConfigurationError(
                f"policy {policy.name!r} was calibrated for another cascade: {'; '.join(differences)}. Record and "
                "calibrate again with these parts, or, if you know better, use load_policy(path, check=False), on "
                "the command line --unchecked",
                code="policy-of-another-cascade",
            )


def parts_of(parts: Parts) -> MadeFor:
    """Return what of a graph's parts a calibrated policy depends on."""
    return MadeFor(tiers=tuple(_tier(tier, parts) for tier in parts.tiers))


def _tier(tier: TierParts, parts: Parts) -> TierMade:
    verifier = None
    if tier.verifier is not None:
        verifier = VerifierMade(
            method=tier.verifier.method,
            judges=tuple(model.label for model in models_of(tier.verifier) or ()),
            prompts=_fingerprints(parts.prompts),
        )
    return TierMade(
        name=tier.name,
        model=tier.model.label,
        prompts=_fingerprints(parts.answer_prompts(tier.model)),
        verifier=verifier,
    )


def _fingerprints(choice: PromptChoice) -> dict[str, str]:
    return {language: prompts.fingerprint for language, prompts in choice.by_language.items()}

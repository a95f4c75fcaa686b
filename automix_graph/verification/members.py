"""What verifiers share that ask other verifiers: who can be a member, what it is told, what is kept of its findings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel
from automix_graph.records import Reading, Verification
from automix_graph.verification.verifier import Case, Verifier, models_of


def check_member(name: str, member: object) -> None:
    """Refuse what is no verifier.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(member, type) or not isinstance(member, Verifier):
        raise ConfigurationError(
            f"{name!r} is {member!r}; give a Verifier: an object with method, verify and averify. A model becomes one "
            "as ShortVerdict(judge=...), a function or Runnable as FunctionVerifier(function=...)",
            code="bad-verifier",
        )


def members_case(case: Case) -> Case:
    """Return the case as a member gets it.

    The policy decides about the whole: no member may stop early on what the policy would make of that member alone.
    """
    return dataclasses.replace(case, goes=None)


def models_of_members(*verifiers: Verifier) -> tuple[NamedModel, ...] | None:
    """Return the models that verifiers call, once each by label; None where one of them does not say."""
    by_label: dict[str, NamedModel] = {}
    for verifier in verifiers:
        models = models_of(verifier)
        if models is None:
            return None
        for model in models:
            by_label.setdefault(model.label, model)
    return tuple(by_label.values())


def least_read(found: Iterable[Verification]) -> Reading | None:
    """Return what the member read that read least; None where none of them tells of anything left out.

    One that tells of none may have read everything or, as the free signal does, nothing: it does not hide the others.
    """
    readings = [one.reading for one in found if one.reading is not None]
    return min(readings, key=lambda reading: reading.tokens, default=None)


def member_signals(found: Mapping[str, Verification]) -> dict[str, float]:
    """Return what members found: the confidence under the member's name, its signals under ``name.signal``."""
    signals: dict[str, float] = {}
    for name, one in found.items():
        if one.confidence is not None:
            signals[name] = one.confidence
        signals |= {f"{name}.{signal}": value for signal, value in one.signals.items()}
    return signals

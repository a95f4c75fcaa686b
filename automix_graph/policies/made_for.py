"""Which cascade a policy was made for: the models, prompts and verifiers whose confidences it was fitted to.

Behind other ones the same numbers mean something else, so a graph refuses a policy that was made for other parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from automix_graph.errors import ConfigurationError
from automix_graph.policies.file_values import object_with, text_of, texts_of
from automix_graph.policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class VerifierMade:
    """The verifier of a tier, as it was when the policy was made.

    Attributes:
        method: its name.
        judges: labels of the models that it called; empty where none, or unknown.
        prompts: fingerprints of its prompts by language; empty where they are unknown.
    """

    method: str
    judges: tuple[str, ...] = ()
    prompts: Mapping[str, str] = field(default_factory=dict)

    def differences(self, running: Self, whose: str) -> Iterable[str]:
        """Yield in words what is different; what either does not know is not compared."""
        if self.method != running.method:
            yield f"the verifier {whose} is {running.method!r}, and was {self.method!r}"
        elif self.judges and running.judges and not set(self.judges) <= set(running.judges):
            yield f"the verifier {whose} asks {_listed(running.judges)}, and asked {_listed(self.judges)}"
        yield from _prompts(f"of the verifier {whose}", self.prompts, running.prompts)


@dataclass(frozen=True, kw_only=True)
class TierMade:
    """The model of a tier, as it was when the policy was made.

    Attributes:
        name: of the tier.
        model: its label.
        prompts: fingerprints of its prompts by language; empty where they are unknown.
        verifier: who judged its answers; None for the last tier.
    """

    name: str
    model: str
    prompts: Mapping[str, str] = field(default_factory=dict)
    verifier: VerifierMade | None = None

    def differences(self, running: Self) -> Iterable[str]:
        """Yield in words what is different; what either does not know is not compared."""
        if self.model != running.model:
            yield f"the {self.name} model is {running.model!r}, and was {self.model!r}"
        yield from _prompts(f"of the {self.name} model", self.prompts, running.prompts)
        if self.verifier is not None and running.verifier is not None:
            yield from self.verifier.differences(running.verifier, f"of the {self.name} answer")

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        judged = self.verifier and {
            "method": self.verifier.method,
            "judges": list(self.verifier.judges),
            "prompts": dict(self.verifier.prompts),
        }
        return {"name": self.name, "model": self.model, "prompts": dict(self.prompts), "verifier": judged}


@dataclass(frozen=True, kw_only=True)
class MadeFor:
    """The parts of a cascade that a policy was made for.

    Attributes:
        tiers: cheapest first.

    Example:
        >>> def cascade(method):
        ...     small = TierMade(name="small", model="a", verifier=VerifierMade(method=method))
        ...     return MadeFor(tiers=(small, TierMade(name="large", model="b")))
        >>> cascade("votes").differences(cascade("short"))
        ("the verifier of the small answer is 'short', and was 'votes'",)
    """

    tiers: tuple[TierMade, ...]

    def differences(self, running: Self) -> tuple[str, ...]:
        """Return in words what is different in a cascade that runs; what either does not know is not compared."""
        if len(self.tiers) != len(running.tiers):
            return (f"there are {len(running.tiers)} tiers, and were {len(self.tiers)}",)
        pairs = zip(self.tiers, running.tiers, strict=True)
        return tuple(difference for was, now in pairs for difference in was.differences(now))

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"tiers": [tier.to_data() for tier in self.tiers]}

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` returned.

        Raises:
            ConfigurationError: the values are something else.
        """
        object_with("made_for", data, {"tiers"})
        if not isinstance(data["tiers"], list):
            raise ConfigurationError(f"made_for.tiers is {data['tiers']!r}; it must be a list", code="policy-file")
        return cls(tiers=tuple(map(_tier, data["tiers"])))


_ATTRIBUTE: Final = "made_for"


def bind(policy: Policy, made_for: MadeFor) -> None:
    """Make a policy remember what it was made for. Copies with other parameters do not: they are other policies."""
    object.__setattr__(policy, _ATTRIBUTE, made_for)  # policies are frozen, and equal whatever they were made for


def made_for(policy: Policy) -> tuple[MadeFor, ...]:
    """Return what a policy, or those that it is made of, were made for; empty where that is unknown."""
    own = getattr(policy, _ATTRIBUTE, None)
    if isinstance(own, MadeFor):
        return (own,)
    inner = [getattr(policy, "policy", None), *getattr(policy, "policies", ())]
    return tuple(found for each in inner if isinstance(each, Policy) for found in made_for(each))


def _prompts(whose: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterable[str]:
    shared = was.keys() & now.keys()
    if was and now and not shared:
        yield f"the prompts {whose} are for {_listed(sorted(now))}, and were for {_listed(sorted(was))}"
    yield from (f"the prompts {whose} for {name!r} have changed" for name in sorted(shared) if was[name] != now[name])


def _tier(data: Any) -> TierMade:
    object_with("made_for.tiers[]", data, {"name", "model", "prompts", "verifier"})
    return TierMade(
        name=text_of("made_for.tiers[].name", data["name"]),
        model=text_of("made_for.tiers[].model", data["model"]),
        prompts=texts_of("made_for.tiers[].prompts", data["prompts"]),
        verifier=None if data["verifier"] is None else _verifier(data["verifier"]),
    )


def _verifier(data: Any) -> VerifierMade:
    where = "made_for.tiers[].verifier"
    object_with(where, data, {"method", "judges", "prompts"})
    judges = data["judges"]
    if not isinstance(judges, list):
        raise ConfigurationError(f"{where}.judges is {judges!r}; it must be a list", code="policy-file")
    return VerifierMade(
        method=text_of(f"{where}.method", data["method"]),
        judges=tuple(text_of(f"{where}.judges", judge) for judge in judges),
        prompts=texts_of(f"{where}.prompts", data["prompts"]),
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))

"""What a calibrated policy was made for, and what its calibration found: the part of its file that decides nothing.

`MadeFor` names the models, prompts and verifier whose confidences the policy was fitted to. Behind other ones the same
numbers mean something else, so a graph refuses a policy that was made for other parts. All else is facts for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from automix_graph.errors import ConfigurationError
from automix_graph.policies.policy import Policy

FACTS: Final = frozenset(
    {
        "date",
        "software",
        "data",
        "tiers",
        "costs",
        "target",
        "label",
        "guarantee",
        "not_said",
        "certificate",
        "n",
        "questions",
        "selection_rows",
        "certification_rows",
        "seed",
        "lam",
        "expected",
        "compared",
        "alone",
        "notes",
    }
)
"""What a calibration tells about itself, by key in the file."""


@dataclass(frozen=True, kw_only=True)
class TierMade:
    """The model of a tier, as it was when the policy was made.

    Attributes:
        name: of the tier.
        model: its label.
        prompts: fingerprints of its prompts by language; empty where they are unknown.
    """

    name: str
    model: str
    prompts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MadeFor:
    """The parts of a cascade that a policy was made for.

    Attributes:
        tiers: cheapest first.
        verifier: its method.
        judges: labels of the models that it called; empty where none, or unknown.
        prompts: fingerprints of its prompts by language; empty where they are unknown.

    Example:
        >>> tiers = (TierMade(name="small", model="a"), TierMade(name="large", model="b"))
        >>> made = MadeFor(tiers=tiers, verifier="votes")
        >>> made.differences(MadeFor(tiers=tiers, verifier="short"))
        ("the verifier is 'short', and was 'votes'",)
    """

    tiers: tuple[TierMade, ...]
    verifier: str
    judges: tuple[str, ...] = ()
    prompts: Mapping[str, str] = field(default_factory=dict)

    def differences(self, running: Self) -> tuple[str, ...]:
        """Return in words what is different in a cascade that runs; what either does not know is not compared."""
        found = []
        if len(self.tiers) != len(running.tiers):
            found.append(f"there are {len(running.tiers)} tiers, and were {len(self.tiers)}")
        for was, now in zip(self.tiers, running.tiers, strict=False):
            if was.model != now.model:
                found.append(f"the {was.name} model is {now.model!r}, and was {was.model!r}")
            found += _prompts(f"of the {was.name} model", was.prompts, now.prompts)
        if self.verifier != running.verifier:
            found.append(f"the verifier is {running.verifier!r}, and was {self.verifier!r}")
        elif self.judges and running.judges and not set(self.judges) <= set(running.judges):
            found.append(f"the verifier asks {_listed(running.judges)}, and asked {_listed(self.judges)}")
        return (*found, *_prompts("of the verifier", self.prompts, running.prompts))

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "tiers": [{"name": tier.name, "model": tier.model, "prompts": dict(tier.prompts)} for tier in self.tiers],
            "verifier": {"method": self.verifier, "judges": list(self.judges), "prompts": dict(self.prompts)},
        }

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` returned.

        Raises:
            ConfigurationError: the values are something else.
        """
        _object("made_for", data, {"tiers", "verifier"})
        if not isinstance(data["tiers"], list):
            raise ConfigurationError(f"made_for.tiers is {data['tiers']!r}; it must be a list")
        verifier = _object("made_for.verifier", data["verifier"], {"method", "judges", "prompts"})
        judges = verifier["judges"]
        if not isinstance(judges, list):
            raise ConfigurationError(f"made_for.verifier.judges is {judges!r}; it must be a list")
        return cls(
            tiers=tuple(map(_tier, data["tiers"])),
            verifier=_text("made_for.verifier.method", verifier["method"]),
            judges=tuple(_text("made_for.verifier.judges", judge) for judge in judges),
            prompts=_texts("made_for.verifier.prompts", verifier["prompts"]),
        )


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a policy comes from.

    Attributes:
        made_for: the parts that it fits; None where nobody knows them, as with a table, and any are accepted.
        facts: about its calibration, as JSON values, under the keys of `FACTS`.

    Raises:
        ConfigurationError: a fact is missing, or is none of these.
    """

    made_for: MadeFor | None
    facts: Mapping[str, Any]

    def __post_init__(self) -> None:
        _object("calibration", dict(self.facts), FACTS)

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**self.facts, "made_for": None if self.made_for is None else self.made_for.to_data()}

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` returned.

        Raises:
            ConfigurationError: the values are something else.
        """
        _object("calibration", data, FACTS | {"made_for"})
        made_for = None if data["made_for"] is None else MadeFor.from_data(data["made_for"])
        return cls(made_for=made_for, facts={name: value for name, value in data.items() if name != "made_for"})


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
    _object("made_for.tiers[]", data, {"name", "model", "prompts"})
    return TierMade(
        name=_text("made_for.tiers[].name", data["name"]),
        model=_text("made_for.tiers[].model", data["model"]),
        prompts=_texts("made_for.tiers[].prompts", data["prompts"]),
    )


def _object(name: str, data: Any, keys: Iterable[str]) -> dict[str, Any]:
    expected = set(keys)
    if not isinstance(data, dict) or data.keys() != expected:
        found = sorted(data) if isinstance(data, dict) else data
        raise ConfigurationError(
            f"{name} holds {found!r}; it must hold {', '.join(sorted(expected))}, and nothing else"
        )
    return data


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} is {value!r}; use a string")
    return value


def _texts(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{name} is {value!r}; use an object of strings")
    return {key: _text(f"{name}.{key}", item) for key, item in value.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "nobody"

"""Policies as JSON values: the name of a policy under ``policy``, and its parameters under their names.

Other keys are refused, since data that say more than is understood would decide otherwise than they say. There is no
code in them: reading builds values of known classes from numbers, and these check the numbers. What a table policy
decides is written down as well, for people and other programs, and must be what its parameters lead to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from automix_graph.errors import ConfigurationError
from automix_graph.policies.band import DoubleThreshold
from automix_graph.policies.bins import Bins, StepCurve
from automix_graph.policies.fixed import Always, RandomMix
from automix_graph.policies.optimal_stopping import OptimalStopping
from automix_graph.policies.policy import Policy
from automix_graph.policies.pomdp import PomdpPolicy
from automix_graph.policies.table import TablePolicy
from automix_graph.policies.threshold import AcceptCorrect, Threshold
from automix_graph.policies.utility import UtilityPolicy
from automix_graph.policies.wrapping import Capped, PerTier

Reader = Callable[[str, Any], Any]
"""Makes a parameter from its name and its JSON value."""


def policy_to_data(policy: Policy) -> dict[str, Any]:
    """Return a policy as JSON values.

    Raises:
        ConfigurationError: it is none of this package.

    Example:
        >>> policy_to_data(DoubleThreshold(0.25, 0.75))
        {'policy': 'double-threshold', 'low': 0.25, 'high': 0.75}
    """
    name = next((name for name, form in _FORMS.items() if type(policy) is form.kind), None)
    if name is None:
        raise ConfigurationError(
            f"policy {policy!r} cannot be saved; those of automix_graph.policies can, others are code: give the object",
            code="policy-file",
        )
    match policy:
        case Capped():
            own = {entry.name: getattr(policy, entry.name) for entry in fields(policy)}
            parameters = {**own, "policy": policy_to_data(policy.policy)}
            return {"policy": name, **{_outer(key): value for key, value in parameters.items()}}
        case PerTier(policies=policies):
            return {"policy": name, "policies": [policy_to_data(each) for each in policies]}
        case TablePolicy():
            return {"policy": name, **_floats(_plain(policy)), "table": list(policy.table)}
        case _:
            return {"policy": name, **_floats(_plain(policy))}


def policy_from_data(data: Mapping[str, Any]) -> Policy:
    """Read what `policy_to_data` returned.

    Raises:
        ConfigurationError: the data hold no policy that this version knows.

    Example:
        >>> policy_from_data({"policy": "threshold", "minimum": 0.7})
        Threshold(minimum=0.7)
    """
    name = data.get("policy")
    form = _FORMS.get(name) if isinstance(name, str) else None
    if form is None:
        raise ConfigurationError(
            f"its policy is {name!r}; known are {', '.join(map(repr, _FORMS))}", code="policy-file"
        )
    parameters = {key: value for key, value in data.items() if key != "policy"}
    tabled = issubclass(form.kind, TablePolicy)
    _require(parameters, {*map(_outer, form.readers), *(["table"] if tabled else [])})
    table = parameters.pop("table") if tabled else None
    policy: Policy = form.kind(
        **{name: reader(_outer(name), parameters[_outer(name)]) for name, reader in form.readers.items()}
    )
    if isinstance(policy, TablePolicy) and table != list(policy.table):
        raise ConfigurationError(
            "its table is not what its parameters lead to; edit neither by hand: make the policy again, and save it",
            code="policy-file",
        )
    return policy


@dataclass(frozen=True, kw_only=True)
class _Form:
    kind: type[Any]
    readers: Mapping[str, Reader]


def _outer(name: str) -> str:
    """Return the key of a parameter; "policy" is the name of the policy itself."""
    return "inner" if name == "policy" else name


def _plain(policy: Any) -> dict[str, Any]:
    data = asdict(policy)
    if "bins" in data:
        data["bins"] = [list(bins.edges) for bins in policy.bins]
    for name, value in vars(policy).items():
        if isinstance(value, StepCurve):
            data[name] = {"edges": value.bins.edges, "values": value.values}
    return data


def _floats(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what was given as NumPy's numbers, or as integers where floats are meant, as JSON knows it."""
    return {name: value if name in _WHOLE else _float(value) for name, value in parameters.items()}


def _float(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _float(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_float(item) for item in value]
    return float(value) if value is not None else None


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{name} is {value!r}; use a number", code="policy-file")
    try:
        return float(value)
    except OverflowError as error:
        raise ConfigurationError(
            f"{name} is {value!r}; that is more than a number can be", code="policy-file"
        ) from error


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"{name} is {value!r}; use a whole number", code="policy-file")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} is {value!r}; use a string", code="policy-file")
    return value


def _tier(name: str, value: Any) -> str | int:
    return value if isinstance(value, str) else _whole(name, value)


def _many(reader: Reader) -> Reader:
    def read(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ConfigurationError(f"{name} is {value!r}; use a list", code="policy-file")
        return tuple(reader(f"{name}[{position}]", item) for position, item in enumerate(value))

    return read


def _optional(reader: Reader) -> Reader:
    def read(name: str, value: Any) -> Any:
        return None if value is None else reader(name, value)

    return read


def _bins(name: str, value: Any) -> Bins:
    return Bins(_many(_number)(name, value))


def _curve(name: str, value: Any) -> StepCurve:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{name} is {value!r}; use an object with edges and values", code="policy-file")
    _require(value, {"edges", "values"})
    return StepCurve(
        bins=_bins(f"{name}.edges", value["edges"]), values=_many(_number)(f"{name}.values", value["values"])
    )


def _policy(name: str, value: Any) -> Policy:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{name} is {value!r}; use the object of a policy", code="policy-file")
    return policy_from_data(value)


def _require(parameters: Mapping[str, Any], names: set[str]) -> None:
    missing, unknown = names - parameters.keys(), parameters.keys() - names
    if missing:
        raise ConfigurationError(f"it lacks {', '.join(map(repr, sorted(missing)))}", code="policy-file")
    if unknown:
        raise ConfigurationError(
            f"it holds {', '.join(map(repr, sorted(unknown)))}, which its policy does not know; take that out",
            code="policy-file",
        )


_WEIGHING: Final[dict[str, Reader]] = {"lam": _number, "abstain_below": _optional(_number)}
_TABLE: Final[dict[str, Reader]] = {"bins": _many(_bins), "costs": _many(_number), **_WEIGHING}
_WHOLE: Final = {"tier", "seed"}

_FORMS: Final[dict[str, _Form]] = {
    "accept-correct": _Form(kind=AcceptCorrect, readers={}),
    "threshold": _Form(kind=Threshold, readers={"minimum": _number}),
    "double-threshold": _Form(kind=DoubleThreshold, readers={"low": _number, "high": _number}),
    "utility": _Form(
        kind=UtilityPolicy, readers={"gain": _curve, "cost": _number, "best": _optional(_curve), **_WEIGHING}
    ),
    "pomdp": _Form(
        kind=PomdpPolicy,
        readers={
            "prior": _many(_number),
            "observation": _many(_many(_many(_number))),
            "quality": _many(_many(_number)),
            **_TABLE,
        },
    ),
    "optimal-stopping": _Form(
        kind=OptimalStopping, readers={"mass": _many(_number), "quality": _many(_many(_number)), **_TABLE}
    ),
    "random-mix": _Form(kind=RandomMix, readers={"share": _number, "seed": _whole}),
    "always": _Form(kind=Always, readers={"tier": _tier}),
    "capped": _Form(kind=Capped, readers={"policy": _policy, "max_tiers": _whole, "beyond": _text}),
    "per-tier": _Form(kind=PerTier, readers={"policies": _many(_policy)}),
}
"""Every policy that can be saved, by its name in the data."""

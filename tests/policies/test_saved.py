import json
import math
from pathlib import Path
from typing import Any

import pytest
from example_policies import POMDP, STOPPING_OF_THREE, UTILITY
from hypothesis import given, settings
from hypothesis import strategies as st

from automix_graph import load_policy, save_policy
from automix_graph.errors import ConfigurationError
from automix_graph.policies import (
    AcceptCorrect,
    Always,
    Bins,
    Capped,
    DoubleThreshold,
    OptimalStopping,
    PerTier,
    Policy,
    PomdpPolicy,
    RandomMix,
    StepCurve,
    Threshold,
    UtilityPolicy,
    policy_from_data,
    policy_to_data,
)


@pytest.mark.parametrize(
    ("policy", "data"),
    [
        (AcceptCorrect(), {"schema_version": 1, "policy": "accept-correct"}),
        (Threshold(0.7), {"schema_version": 1, "policy": "threshold", "minimum": 0.7}),
        (Threshold(1), {"schema_version": 1, "policy": "threshold", "minimum": 1.0}),
    ],
)
def test_a_policy_is_read_as_it_was_written(policy: Policy, data: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text("what was there before")
    save_policy(policy, path)
    assert json.loads(path.read_text(encoding="utf-8")) == data
    assert load_policy(str(path)) == policy
    assert [found.name for found in tmp_path.iterdir()] == ["policy.json"]


numbers = st.floats(0, 1)
amounts = st.floats(0, 1e6)


@st.composite
def some_bins(draw: st.DrawFn) -> Bins:
    edges = draw(st.lists(st.floats(0, 1, exclude_min=True), unique=True, max_size=3))
    return Bins(tuple(sorted(edges)))


@st.composite
def curves(draw: st.DrawFn) -> StepCurve:
    bins = draw(some_bins())
    return StepCurve(bins=bins, values=tuple(draw(st.floats(-1, 1)) for _ in range(bins.count)))


@st.composite
def shares(draw: st.DrawFn, count: int) -> tuple[float, ...]:
    weights = [draw(st.integers(1, 9)) for _ in range(count)]
    return tuple(weight / sum(weights) for weight in weights)


@st.composite
def utilities(draw: st.DrawFn) -> UtilityPolicy:
    best = draw(st.none() | curves())
    floor = None if best is None else draw(st.none() | numbers)
    return UtilityPolicy(gain=draw(curves()), lam=draw(amounts), cost=draw(amounts), best=best, abstain_below=floor)


@st.composite
def stoppings(draw: st.DrawFn) -> OptimalStopping:
    bins = tuple(draw(st.lists(some_bins(), min_size=1, max_size=2)))
    cells, tiers = math.prod(each.count for each in bins), len(bins) + 1
    return OptimalStopping(
        bins=bins,
        mass=draw(shares(cells)),
        quality=tuple(tuple(draw(numbers) for _ in range(cells)) for _ in range(tiers)),
        costs=tuple(draw(amounts) for _ in range(tiers)),
        lam=draw(numbers),
        abstain_below=draw(st.none() | numbers),
    )


@st.composite
def pomdps(draw: st.DrawFn) -> PomdpPolicy:
    bins = tuple(draw(st.lists(some_bins(), min_size=1, max_size=2)))
    tiers = len(bins) + 1
    return PomdpPolicy(
        bins=bins,
        prior=draw(shares(tiers + 1)),
        observation=tuple(tuple(draw(shares(each.count)) for _ in range(tiers + 1)) for each in bins),
        quality=tuple(tuple(draw(numbers) for _ in range(tiers + 1)) for _ in range(tiers)),
        costs=tuple(draw(amounts) for _ in range(tiers)),
        lam=draw(numbers),
        abstain_below=draw(st.none() | numbers),
    )


plain = st.one_of(
    st.just(AcceptCorrect()),
    st.builds(Threshold, numbers),
    st.tuples(numbers, numbers).map(lambda ends: DoubleThreshold(min(ends), max(ends))),
    st.builds(RandomMix, numbers, st.integers(0, 2**63)),
    st.builds(Always, st.sampled_from(["small", "large"]) | st.integers(0, 9)),
    utilities(),
    stoppings(),
    pomdps(),
)
policies = st.one_of(
    plain,
    st.builds(Capped, plain, st.integers(1, 9), st.sampled_from(["keep", "abstain"])),
    st.lists(plain, min_size=1, max_size=3).map(lambda found: PerTier(tuple(found))),
)


@settings(deadline=None)
@given(policy=policies)
def test_every_policy_is_read_as_it_was_written(policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    save_policy(policy, path)
    read = load_policy(path)
    assert read == policy
    assert policy_from_data(json.loads(json.dumps(policy_to_data(read)))) == policy
    assert json.loads(path.read_text(encoding="utf-8"))["schema_version"] == 1


def test_what_a_file_of_a_table_policy_holds() -> None:
    assert policy_to_data(POMDP) == {
        "policy": "pomdp",
        "bins": [[0.5]],
        "prior": [0.5, 0.25, 0.25],
        "observation": [[[0.2, 0.8], [0.6, 0.4], [0.8, 0.2]]],
        "quality": [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]],
        "costs": [1.0, 20.0],
        "lam": 0.01,
        "abstain_below": None,
        "table": [[1, 0]],
    }


@pytest.mark.parametrize(
    ("policy", "change", "complaint"),
    [
        (POMDP, {"table": [[1, 1]]}, "its table is not what its parameters lead to"),
        (POMDP, {"lam": 1.0}, "its table is not what its parameters lead to"),
        (POMDP, {"code": "print()"}, "holds 'code', which its policy does not know"),
        (POMDP, {"prior": "half"}, "prior is 'half'; use a list"),
        (POMDP, {"observation": [[0.2, 0.8]]}, r"observation\[0\]\[0\] is 0.2; use a list"),
        (POMDP, {"costs": [1, "20"]}, r"costs\[1\] is '20'; use a number"),
        (POMDP, {"bins": [[0.5, 0.4]]}, "strictly increasing"),
        (UTILITY, {"gain": [0.3, 0.1]}, r"gain is \[0.3, 0.1\]; use an object"),
        (UTILITY, {"gain": {"edges": [0.5]}}, "it lacks 'values'"),
        (UTILITY, {"lam": True}, "lam is True; use a number"),
        (UTILITY, {"cost": 10**400}, "more than a number can be"),
        (RandomMix(0.5), {"seed": 1.5}, "seed is 1.5; use a whole number"),
        (Always("small"), {"tier": "medium"}, "tier is 'medium'"),
        (Capped(Threshold(0.5), 2), {"inner": "threshold"}, "inner is 'threshold'; use the object of a policy"),
        (Capped(Threshold(0.5), 2), {"inner": {"policy": "threshold", "x": 1}}, "it lacks 'minimum'"),
        (Capped(Threshold(0.5), 2), {"beyond": 3}, "beyond is 3; use a string"),
        (PerTier((Threshold(0.5),)), {"policies": []}, "there is no policy"),
    ],
)
def test_what_was_changed_by_hand_is_checked(policy: Policy, change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        policy_from_data({**policy_to_data(policy), **change})


@given(minimum=st.floats(0, 1))
def test_a_threshold_keeps_every_digit(minimum: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "threshold.json"
    save_policy(Threshold(minimum), path)
    assert load_policy(path) == Threshold(minimum)


def test_a_policy_that_is_code_is_not_saved(tmp_path: Path) -> None:
    class Own:
        name = "own"

    with pytest.raises(ConfigurationError, match=r"cannot be saved; those of automix_graph.policies can"):
        save_policy(Own(), tmp_path / "policy.json")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no JSON"),
        ("[]", "holds a list; it must be a JSON object"),
        ("{}", "it holds no policy: it has no schema_version"),
        ('{"schema_version": 2, "policy": "threshold", "minimum": 0.5}', "schema_version 2.*upgrade"),
        ('{"schema_version": true, "policy": "accept-correct"}', "schema_version True"),
        ('{"schema_version": 1}', "its policy is None; known are 'accept-correct', 'threshold'"),
        ('{"schema_version": 1, "policy": ["threshold"]}', "its policy is .'threshold'.; known are"),
        ('{"schema_version": 1, "policy": "threshold"}', "it lacks 'minimum'"),
        ('{"schema_version": 1, "policy": "threshold", "minimum": "high"}', "minimum is 'high'"),
        ('{"schema_version": 1, "policy": "threshold", "minimum": true}', "minimum is True"),
        ('{"schema_version": 1, "policy": "threshold", "minimum": 1.5}', r"threshold 1\.5 is not a confidence"),
        ('{"schema_version": 1, "policy": "threshold", "minimum": NaN}', "threshold nan is not a confidence"),
        ('{"schema_version": 1, "policy": "accept-correct", "minimum": 0.5}', "holds 'minimum', which its policy"),
    ],
)
def test_what_is_no_saved_policy_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        load_policy(path)
    assert "policy.json" in str(caught.value)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load_policy(tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        save_policy(AcceptCorrect(), tmp_path / "none" / "policy.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is no JSON"):
        load_policy(tmp_path / "binary.json")


@pytest.mark.parametrize(
    "policy",
    [Always(2), Always("large"), UTILITY, STOPPING_OF_THREE, Capped(UTILITY, 2), PerTier((Threshold(0.5), UTILITY))],
)
def test_a_file_is_json_that_people_can_read(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    save_policy(policy, path)
    assert path.read_text() == json.dumps({"schema_version": 1, **policy_to_data(policy)}, indent=2) + "\n"
    assert load_policy(path) == policy
    assert policy_from_data(policy_to_data(policy)) == policy

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.policies import (
    Capped,
    MadeFor,
    PerTier,
    Provenance,
    Threshold,
    TierMade,
    VerifierMade,
    load_policy,
    load_provenance,
    save_policy,
)
from automix_graph.policies.made_for import made_for
from automix_graph.policies.provenance import FACTS

MADE = MadeFor(
    tiers=(
        TierMade(
            name="small",
            model="a",
            prompts={"en": "1", "zh": "2"},
            verifier=VerifierMade(method="votes", judges=("b",), prompts={"en": "4"}),
        ),
        TierMade(name="large", model="b", prompts={"en": "3"}),
    )
)
PROVENANCE = Provenance(made_for=MADE, facts={name: None for name in FACTS} | {"n": 100, "data": {"sha256": "x"}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.json"
    save_policy(Threshold(0.7), path, provenance=PROVENANCE)
    return path


def test_a_calibrated_policy_remembers_what_it_was_made_for(path: Path) -> None:
    policy = load_policy(path)
    assert policy == Threshold(0.7)
    assert made_for(policy) == (MADE,)
    assert load_provenance(path) == PROVENANCE
    assert made_for(load_policy(path, check=False)) == ()


def test_a_policy_without_a_calibration_was_made_for_anything(tmp_path: Path) -> None:
    save_policy(Threshold(0.7), tmp_path / "plain.json")
    assert made_for(load_policy(tmp_path / "plain.json")) == ()
    assert load_provenance(tmp_path / "plain.json") is None
    assert json.loads((tmp_path / "plain.json").read_text()) == {
        "schema_version": 1,
        "policy": "threshold",
        "minimum": 0.7,
    }


def test_policies_made_of_others_remember_theirs(path: Path, tmp_path: Path) -> None:
    policy = load_policy(path)
    assert made_for(Capped(policy, max_tiers=1)) == (MADE,)
    assert made_for(PerTier((policy, Threshold(0.5), policy))) == (MADE, MADE)
    # They can be saved again, as what they are.
    save_policy(Capped(policy, max_tiers=1), tmp_path / "capped.json")
    assert load_policy(tmp_path / "capped.json") == Capped(Threshold(0.7), max_tiers=1)


def test_a_changed_copy_is_another_policy(path: Path) -> None:
    policy = load_policy(path)
    assert isinstance(policy, Threshold)
    assert made_for(dataclasses.replace(policy, minimum=0.6)) == ()
    assert made_for(pickle.loads(pickle.dumps(policy))) == (MADE,)


def with_small(**changes: Any) -> MadeFor:
    small, large = MADE.tiers
    return MadeFor(tiers=(dataclasses.replace(small, **changes), large))


def judged(**changes: Any) -> MadeFor:
    verifier = MADE.tiers[0].verifier
    assert verifier is not None
    return with_small(verifier=dataclasses.replace(verifier, **changes))


@pytest.mark.parametrize(
    ("running", "differences"),
    [
        (MADE, ()),
        (with_small(model="c"), ("the small model is 'c', and was 'a'",)),
        (with_small(prompts={"en": "9"}), ("the prompts of the small model for 'en' have changed",)),
        (with_small(prompts={"en": "1"}), ()),
        (with_small(prompts={}), ()),
        (with_small(prompts={"de": "1"}), ("the prompts of the small model are for 'de', and were for 'en', 'zh'",)),
        (judged(method="short"), ("the verifier of the small answer is 'short', and was 'votes'",)),
        (judged(judges=("a",)), ("the verifier of the small answer asks 'a', and asked 'b'",)),
        (judged(judges=("a", "b")), ()),
        (judged(judges=()), ()),
        (judged(prompts={"en": "5"}), ("the prompts of the verifier of the small answer for 'en' have changed",)),
        (MadeFor(tiers=MADE.tiers[:1]), ("there are 1 tiers, and were 2",)),
    ],
)
def test_what_differs_is_told(running: MadeFor, differences: tuple[str, ...]) -> None:
    assert MADE.differences(running) == differences


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda data: data["calibration"].pop("n"), r"calibration holds .* it must hold .*, n, .*, and nothing else"),
        (lambda data: data["calibration"].update(code="1"), "'code'.* and nothing else"),
        (lambda data: data.update(calibration=[]), "calibration holds"),
        (lambda data: data["calibration"].update(made_for="me"), "made_for holds 'me'"),
        (lambda data: data["calibration"]["made_for"].update(tiers="me"), "made_for.tiers is 'me'"),
        (lambda data: data["calibration"]["made_for"]["tiers"][0].update(model=1), "model is 1; use a string"),
        (lambda data: data["calibration"]["made_for"]["tiers"][0].update(prompts=[]), "prompts is "),
        (lambda data: data["calibration"]["made_for"]["tiers"][0]["verifier"].update(judges="b"), "judges is 'b'"),
        (
            lambda data: data["calibration"]["made_for"]["tiers"][0]["verifier"].update(prompts={"en": 1}),
            "prompts.en is 1",
        ),
    ],
)
def test_a_calibration_that_was_tampered_with_is_refused(path: Path, change: Any, complaint: str) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        load_policy(path)
    assert "policy.json" in str(caught.value)


def only_small(verifier: VerifierMade | None) -> MadeFor:
    return MadeFor(tiers=(TierMade(name="small", model="a", verifier=verifier),))


def test_what_one_side_does_not_know_is_not_compared() -> None:
    unjudged = only_small(None)
    short, votes = (only_small(VerifierMade(method=method)) for method in ("short", "votes"))
    assert unjudged.differences(short) == short.differences(unjudged) == ()
    assert len(votes.differences(short)) == 1


TIER = "made_for.tiers[]"
KEYS = "model, name, prompts, verifier"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ((), "me", "made_for holds 'me'; it must hold tiers, and nothing else"),
        (("tiers",), "me", "made_for.tiers is 'me'; it must be a list"),
        (("tiers", 0), 5, f"{TIER} holds 5; it must hold {KEYS}, and nothing else"),
        (("tiers", 0, "name"), 5, f"{TIER}.name is 5; use a string"),
        (("tiers", 0, "model"), 5, f"{TIER}.model is 5; use a string"),
        (("tiers", 0, "prompts"), 5, f"{TIER}.prompts is 5; use an object of strings"),
        (
            ("tiers", 0, "verifier"),
            5,
            f"{TIER}.verifier holds 5; it must hold judges, method, prompts, and nothing else",
        ),
        (("tiers", 0, "verifier", "method"), 5, f"{TIER}.verifier.method is 5; use a string"),
        (("tiers", 0, "verifier", "judges"), 5, f"{TIER}.verifier.judges is 5; it must be a list"),
        (("tiers", 0, "verifier", "judges"), [5], f"{TIER}.verifier.judges is 5; use a string"),
        (("tiers", 0, "verifier", "prompts"), 5, f"{TIER}.verifier.prompts is 5; use an object of strings"),
    ],
)
def test_what_a_policy_was_made_for_is_checked(place: tuple[Any, ...], value: Any, message: str) -> None:
    judged_small = only_small(VerifierMade(method="votes", judges=("b",)))
    data: Any = {"made_for": judged_small.to_data()}
    assert MadeFor.from_data(data["made_for"]) == judged_small
    inner, path = data, ("made_for", *place)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ConfigurationError) as told:
        MadeFor.from_data(data["made_for"])
    assert (str(told.value), told.value.code) == (message, "policy-file")


@pytest.mark.parametrize(("now", "told"), [(("b",), "asks 'b', and asked 'a'"), (("a",), None), ((), None)])
def test_judges_are_compared_where_both_sides_name_them(now: tuple[str, ...], told: str | None) -> None:
    before, after = (only_small(VerifierMade(method="votes", judges=judges)) for judges in (("a",), now))
    expected = () if told is None else (f"the verifier of the small answer {told}",)
    assert before.differences(after) == expected


def test_a_calibration_without_parts_fits_any() -> None:
    facts = {name: None for name in FACTS}
    unknown = Provenance(made_for=None, facts=facts)
    assert unknown.to_data() == {**facts, "made_for": None}
    assert Provenance.from_data(unknown.to_data()) == unknown

"""What policies and their files refuse: the whole message, and the code that the troubleshooting page explains."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from verifications import FAILED, column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import (
    Always,
    Bins,
    Capped,
    Judged,
    OptimalStopping,
    PerTier,
    PomdpPolicy,
    StepCurve,
    Threshold,
    UtilityPolicy,
    decide,
    follow,
    load_policy,
    save_policy,
)
from automix_graph.policies.file_values import object_with, text_of, texts_of
from automix_graph.policies.forms import policy_from_data, policy_to_data
from automix_graph.policies.made_for import MadeFor, TierMade, VerifierMade
from automix_graph.policies.provenance import FACTS, Provenance
from automix_graph.policies.table import MOST_CELLS
from automix_graph.records import Decision, Verification

HALVES = Bins((0.5,))
STOPPING = OptimalStopping(
    bins=(HALVES,), mass=(0.5, 0.5), quality=((0.2, 0.9), (0.8, 0.9)), costs=(1, 20), lam=0.01, abstain_below=0.1
)
POMDP = PomdpPolicy(
    bins=(HALVES,),
    prior=(0.5, 0.25, 0.25),
    observation=(((0.2, 0.8), (0.6, 0.4), (0.8, 0.2)),),
    quality=((1, 0, 0), (1, 1, 0)),
    costs=(1, 20),
    lam=0.01,
)
UTILITY = UtilityPolicy(gain=StepCurve(bins=HALVES, values=(0.3, 0.1)), lam=0.01, cost=20)
CELLS = f"the bins of 1 tiers make {MOST_CELLS + 1} combinations; use fewer bins, up to {MOST_CELLS} combinations"


class Own:
    """A policy that says what it is made to say."""

    name, keeps = "own", "nothing"

    def __init__(self, said: Any) -> None:
        self.said = said

    def __repr__(self) -> str:
        return "<own>"

    def decide(self, history: Sequence[Verification]) -> Any:
        return self.said


class Moving(Own):
    def moves(self, history: Sequence[Judged], tiers: int) -> Any:
        return self.said


class Accepting(Own):
    def accepts(self, history: Sequence[Judged]) -> Any:
        return self.said


class Asking(Own):
    def decide_for(self, question: str, history: Sequence[Verification]) -> Any:
        return self.said if question == "q" else going(0)


class Limiting(Own):
    def limit(self, decision: Decision, history: Sequence[Verification]) -> Any:
        return self.said

    def limit_moves(self, moves: Any, history: Sequence[Judged], tiers: int) -> Any:
        return moves


def going(next_tier: int) -> Decision:
    return Decision(accept=False, policy="own", reason="r", next_tier=next_tier)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: decide(Own("yes"), [judged(0.1)]), "'own' decided 'yes'; decide(history) must return a Decision"),
        (
            lambda: decide(Own(going(1)), [judged(0.1)] * 2),
            "'own' sends a question from the tier at position 1 to that at 1; a question only goes on to a later one, "
            "and -1 is the last",
        ),
        (
            lambda: decide(Asking(going(1)), [judged(0.1)] * 2, question="q"),
            "'own' sends a question from the tier at position 1 to that at 1; a question only goes on to a later one, "
            "and -1 is the last",
        ),
        (
            lambda: decide(Limiting(going(1)), [judged(0.1), FAILED]),
            "'own' sends a question from the tier at position 1 to that at 1; a question only goes on to a later one, "
            "and -1 is the last",
        ),
        (
            lambda: decide(Limiting(Decision(accept=True, policy="own", reason="r")), [FAILED]),
            "'own' keeps a draft without a judgement; escalate or abstain",
        ),
        (
            lambda: follow(Own(None), [column([0.1])]),
            "'own' decides about one question at a time; give it accepts(history) or moves(history, tiers), see "
            "ColumnPolicy and MovingPolicy",
        ),
        (
            lambda: follow(Moving(np.zeros(3, dtype=np.intp)), [column([0.1, 0.2])]),
            "'own' decided in shape (3,); moves(history, tiers) must return shape (2,), one decision a question",
        ),
        (
            lambda: follow(Accepting(np.zeros(3, dtype=np.bool_)), [column([0.1, 0.2])]),
            "'own' decided in shape (3,); accepts(history) must return shape (2,), one decision a question",
        ),
        *(
            (
                lambda to=to: follow(Moving(np.array([0, to])), [column([0.1, 0.2])] * 2),
                f"'own' sends questions from tier 0 to tier {to}; there are tiers 0 to 2, and a question only goes on "
                "to a later one",
            )
            for to in (3, 4, -2)
        ),
        (lambda: Always(3).moves([column([0.1])], 3), "'always(3)' asks for tier 3, and the last of 3 is 2"),
        (
            lambda: PerTier((Threshold(0.5),)).decide([judged(0.1)] * 2),
            "'per-tier(threshold(0.5))' is for 2 tiers, of which the last is not verified; it was asked to decide "
            "about 2 verifications",
        ),
        (
            lambda: STOPPING.moves([column([0.1])], 3),
            f"{STOPPING.name!r} is for 2 tiers, and there are 3",
        ),
        *(
            (
                lambda asked=asked: STOPPING.decide([judged(0.1)] * asked),
                f"{STOPPING.name!r} is for 2 tiers, of which the last is not verified; it was asked to decide about "
                f"{asked} verifications",
            )
            for asked in (0, 2)
        ),
    ],
)
def test_a_decision_that_cannot_be_is_refused(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        act()
    assert (str(told.value), told.value.code) == (f"policy {message}", "policy-decision")


def test_a_policy_that_tells_questions_apart_is_asked_about_them_where_they_are_known() -> None:
    assert decide(Asking(going(2)), [judged(0.1)] * 2, question="q") == going(2)
    assert decide(Asking(going(1)), [judged(0.1)], question="q") == going(1)
    assert decide(Asking(going(1)), [judged(0.1)]) == going(1)
    with pytest.raises(ConfigurationError, match="'own' decided 'no'"):
        decide(Asking("no"), [judged(0.1)], question="q")


def test_a_later_failure_may_be_limited_to_a_later_tier() -> None:
    assert decide(Limiting(going(2)), [judged(0.1), FAILED]) == going(2)
    with pytest.raises(ConfigurationError, match="'own' decided 'no'"):
        decide(Limiting("no"), [FAILED])
    with pytest.raises(ValueError, match=r"^a policy decides about at least one verification; the history is empty$"):
        decide(Threshold(0.5), [])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: PerTier(()), "there is no policy; give one for each tier but the last"),
        (lambda: Capped(Threshold(0.5), True), "max_tiers is True; use a whole number of at least 1"),
        (lambda: Capped(Threshold(0.5), 1.5), "max_tiers is 1.5; use a whole number of at least 1"),  # type: ignore[arg-type]
        (
            lambda: dataclasses.replace(STOPPING, costs=(1,)),
            "there are bins for 1 tiers and costs of 1; give bins for each tier but the last, and a cost for each",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=(0.5, 0.6)),
            "mass is [0.5, 0.6]; use 2 probabilities above 0 that sum to 1: smooth counts first",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=(0.5,) * 12),
            f"mass is {[0.5] * 12}; use 2 probabilities above 0 that sum to 1: smooth counts first",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=(0.5,) * 15),
            f"mass is {[0.5] * 12} and 3 more; use 2 probabilities above 0 that sum to 1: smooth counts first",
        ),
        (
            lambda: dataclasses.replace(STOPPING, mass=tuple(k / 8 for k in range(13))),
            f"mass is {[k / 8 for k in range(12)]} and 1 more; use 2 probabilities above 0 that sum to 1: smooth "
            "counts first",
        ),
        (lambda: dataclasses.replace(STOPPING, bins=(Bins.equal(MOST_CELLS + 1),)), CELLS),
        (
            lambda: StepCurve(bins=HALVES, values=(0.5, float("inf"))),
            "a curve over 2 bins has the values [0.5, inf]; give one number a bin",
        ),
        (
            lambda: Bins((0.5, 0.5)),
            "the edges of bins are [0.5, 0.5]; use strictly increasing numbers above 0 and at most 1",
        ),
    ],
)
def test_parameters_that_cannot_be_are_told(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match="^" + re.escape(message) + "$"):
        act()


def test_as_many_cells_as_are_allowed_are_allowed() -> None:
    with pytest.raises(ConfigurationError, match="use 200000 probabilities"):
        dataclasses.replace(STOPPING, bins=(Bins.equal(MOST_CELLS),))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: object_with("x", {"a": 1}, {"b", "c"}), "x holds ['a']; it must hold b, c, and nothing else"),
        (lambda: object_with("x", 5, {"b"}), "x holds 5; it must hold b, and nothing else"),
        (lambda: text_of("x", 5), "x is 5; use a string"),
        (lambda: texts_of("x", 5), "x is 5; use an object of strings"),
        (lambda: texts_of("x", {"en": 5}), "x.en is 5; use a string"),
        (
            lambda: Provenance(made_for=None, facts={"x": 1}),
            f"calibration holds ['x']; it must hold {', '.join(sorted(FACTS))}, and nothing else",
        ),
        (
            lambda: policy_to_data(Own(None)),
            "policy <own> cannot be saved; those of automix_graph.policies can, others are code: give the object",
        ),
        (
            lambda: policy_from_data({"policy": "luck"}),
            "its policy is 'luck'; known are 'accept-correct', 'threshold', 'double-threshold', 'utility', 'pomdp', "
            "'optimal-stopping', 'random-mix', 'always', 'capped', 'per-tier'",
        ),
        (
            lambda: policy_from_data({"policy": "threshold", "minimum": 10**400}),
            f"minimum is {10**400}; that is more than a number can be",
        ),
        (
            lambda: policy_from_data(policy_to_data(Capped(Threshold(0.5), 2)) | {"beyond": 3}),
            "beyond is 3; use a string",
        ),
        (
            lambda: policy_from_data(policy_to_data(Capped(Threshold(0.5), 2)) | {"inner": "x"}),
            "inner is 'x'; use the object of a policy",
        ),
        (
            lambda: policy_from_data(policy_to_data(UTILITY) | {"gain": 5}),
            "gain is 5; use an object with edges and values",
        ),
        (lambda: policy_from_data({"policy": "always", "tier": 1.5}), "tier is 1.5; use a whole number"),
        (
            lambda: policy_from_data({"policy": "threshold", "minimum": 1, "y": 1, "x": 1}),
            "it holds 'x', 'y', which its policy does not know; take that out",
        ),
        (lambda: policy_from_data({"policy": "capped"}), "it lacks 'beyond', 'inner', 'max_tiers'"),
        (
            lambda: policy_from_data(policy_to_data(POMDP) | {"table": [[1, 1]]}),
            "its table is not what its parameters lead to; edit neither by hand: make the policy again, and save it",
        ),
        *(
            (lambda change=change: policy_from_data(policy_to_data(POMDP) | change), message)
            for change, message in (
                ({"prior": "half"}, "prior is 'half'; use a list"),
                ({"bins": [0.5]}, "bins[0] is 0.5; use a list"),
                ({"bins": [[0.5, "x"]]}, "bins[0][1] is 'x'; use a number"),
                ({"abstain_below": "low"}, "abstain_below is 'low'; use a number"),
            )
        ),
        *(
            (lambda change=change: policy_from_data(policy_to_data(UTILITY) | {"gain": change}), message)
            for change, message in (
                ({"edges": 1, "values": [1.0]}, "gain.edges is 1; use a list"),
                ({"edges": ["x"], "values": [1.0]}, "gain.edges[0] is 'x'; use a number"),
                ({"edges": [], "values": 1}, "gain.values is 1; use a list"),
                ({"edges": [], "values": [None]}, "gain.values[0] is None; use a number"),
            )
        ),
    ],
)
def test_what_a_file_may_not_hold_is_told(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        act()
    assert (str(told.value), told.value.code) == (message, "policy-file")


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
    small = TierMade(name="small", model="a", verifier=VerifierMade(method="votes", judges=("b",)))
    data: Any = {"made_for": MadeFor(tiers=(small,)).to_data()}
    assert MadeFor.from_data(data["made_for"]) == MadeFor(tiers=(small,))
    inner, path = data, ("made_for", *place)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ConfigurationError) as told:
        MadeFor.from_data(data["made_for"])
    assert (str(told.value), told.value.code) == (message, "policy-file")


@pytest.mark.parametrize(("now", "told"), [(("b",), "asks 'b', and asked 'a'"), (("a",), None), ((), None)])
def test_judges_are_compared_where_both_sides_name_them(now: tuple[str, ...], told: str | None) -> None:
    def cascade(*judges: str) -> MadeFor:
        verifier = VerifierMade(method="votes", judges=judges)
        return MadeFor(tiers=(TierMade(name="small", model="a", verifier=verifier),))

    expected = () if told is None else (f"the verifier of the small answer {told}",)
    assert cascade("a").differences(cascade(*now)) == expected


def test_a_calibration_without_parts_fits_any() -> None:
    facts = {name: None for name in FACTS}
    unknown = Provenance(made_for=None, facts=facts)
    assert unknown.to_data() == {**facts, "made_for": None}
    assert Provenance.from_data(unknown.to_data()) == unknown


def test_files_have_codes(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    expected = f"policy file {str(path)!r} cannot be"
    for text, message in (
        (None, f"{expected} read: No such file or directory"),
        (
            '{"schema_version": 2}',
            f"{expected} used: it has schema_version 2, and this version of automix-graph reads 1: upgrade "
            "automix-graph, or save the policy again",
        ),
        ("[]", f"policy file {str(path)!r} holds a list; it must be a JSON object"),
        (
            "{",
            f"policy file {str(path)!r} is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 "
            "(char 1); save the policy again",
        ),
    ):
        if text is not None:
            path.write_text(text)
        with pytest.raises(ConfigurationError) as told:
            load_policy(path)
        assert (str(told.value), told.value.code) == (message, "policy-file")
        if text == '{"schema_version": 2}':
            assert isinstance(told.value.__cause__, ConfigurationError)
            assert told.value.__cause__.code == "policy-file"
    inside = path / "policy.json"
    with pytest.raises(ConfigurationError) as told:
        save_policy(Threshold(0.5), inside)
    assert str(told.value) == f"policy file {str(inside)!r} cannot be written: Not a directory"
    assert told.value.code == "file-unwritable"


def test_a_number_that_json_does_not_know_is_not_written(tmp_path: Path) -> None:
    facts = {name: None for name in FACTS} | {"expected": float("nan")}
    with pytest.raises(ValueError, match="JSON"):
        save_policy(Threshold(0.5), tmp_path / "policy.json", provenance=Provenance(made_for=None, facts=facts))
    assert not list(tmp_path.iterdir())

"""What policy files refuse: the whole message, and the code that the troubleshooting page explains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from example_policies import POMDP, UTILITY, Own

from automix_graph.errors import ConfigurationError
from automix_graph.policies import Capped, Threshold, load_policy, save_policy
from automix_graph.policies.file_values import object_with, text_of, texts_of
from automix_graph.policies.forms import policy_from_data, policy_to_data
from automix_graph.policies.provenance import FACTS, Provenance


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
        ("{}", f"{expected} used: it holds no policy: it has no schema_version"),
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
        if text in {"{}", '{"schema_version": 2}'}:
            assert isinstance(told.value.__cause__, ConfigurationError)
            assert told.value.__cause__.code == "policy-file"
    inside = path / "policy.json"
    with pytest.raises(ConfigurationError) as told:
        save_policy(Threshold(0.5), inside)
    assert str(told.value) == f"policy file {str(inside)!r} cannot be written: Not a directory"
    assert told.value.code == "file-unwritable"


def test_a_number_that_json_does_not_know_is_not_written(tmp_path: Path) -> None:
    facts = {name: None for name in FACTS} | {"expected": float("nan")}
    with pytest.raises(ConfigurationError) as told:
        save_policy(Threshold(0.5), tmp_path / "policy.json", provenance=Provenance(made_for=None, facts=facts))
    assert str(told.value).startswith("policy 'threshold(0.5)' cannot be written with what it was made for: ")
    assert str(told.value).endswith("JSON compliant: nan; use finite numbers")
    assert not list(tmp_path.iterdir())

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph import load_policy, save_policy
from automix_graph.errors import ConfigurationError
from automix_graph.policies import AcceptCorrect, Policy, Threshold


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


@given(minimum=st.floats(0, 1))
def test_a_threshold_keeps_every_digit(minimum: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "threshold.json"
    save_policy(Threshold(minimum), path)
    assert load_policy(path) == Threshold(minimum)


def test_a_policy_that_is_code_is_not_saved(tmp_path: Path) -> None:
    class Own:
        name = "own"

    with pytest.raises(ConfigurationError, match="cannot be saved; Threshold and AcceptCorrect can"):
        save_policy(Own(), tmp_path / "policy.json")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no JSON"),
        ("[]", "holds a list; it must be a JSON object"),
        ("{}", "schema_version None, and this version of automix-graph reads 1"),
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

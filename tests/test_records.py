import dataclasses
import json
import math
import pickle
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from automix_graph import errors
from automix_graph.policies import SKIPPED
from automix_graph.records import Call, Decision, Draft, Passage, Reading, Record, Usage, Verdict, Verification

RECORD = Record(
    question="谁?",
    language="zh",
    prompts="0" * 64,
    passages=(Passage(text="文", id="p1", metadata={"source": "a.txt", "page": 3}),),
    drafts=(Draft(tier="small", text="draft text"),),
    verifications=(
        Verification(method="m", verdict=Verdict.CORRECT, confidence=0.75, verdicts=(Verdict.CORRECT,)),
        Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="timeout"),
    ),
    decisions=(Decision(accept=False, policy="p", reason="r"),),
    calls=(Call(stage="verify", model="l", usage=Usage(input_tokens=3), seconds=0.5, cost=None, error="e"),),
)


def test_json_round_trip() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD
    assert json.loads(RECORD.to_json())["verifications"][0]["verdict"] == "CORRECT"


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def test_numbers_that_json_does_not_know_survive_as_texts() -> None:
    signals = {"low": -math.inf, "high": math.inf, "none": math.nan, "some": 0.25}
    found = Verification(method="m", verdict=Verdict.CORRECT, confidence=0.5, signals=signals)
    draft = Draft(tier="small", text="a", logprobs=(-0.5, -math.inf))
    record = Record(question="q", language="en", prompts="", drafts=(draft,), verifications=(found,))
    json.loads(record.to_json(), parse_constant=no_constant)
    for again in (Record.from_json(record.to_json()), Record.unseal(record.seal())):
        assert again.drafts == record.drafts
        assert repr(again.verifications) == repr(record.verifications)


def test_what_a_judge_read_survives() -> None:
    reading = Reading(kind="budget", passages=(0,), omitted=(1, 2), tokens=7, cut=(0,))
    found = Verification(method="m", verdict=Verdict.CORRECT, confidence=0.5, signals={"mass": 0.9}, reading=reading)
    record = Record(question="q", language="en", prompts="", verifications=(found,))
    assert Record.from_json(record.to_json()) == record


def test_a_record_from_before_signals_readings_and_logprobs_is_read() -> None:
    data = json.loads(RECORD.to_json())
    for verification in data["verifications"]:
        del verification["signals"], verification["reading"]
    del data["drafts"][0]["logprobs"]
    assert Record.from_json(json.dumps(data)) == RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"drafts": [{"tier": "small", "text": "a", "surprise": 1}]},
        {"drafts": ["a"]},
        {"drafts": [{"tier": "small", "text": "a", "logprobs": ["x"]}]},
        {"verifications": [{"method": "m", "verdict": "MAYBE", "confidence": 0.5}]},
        {"verifications": [{"method": "m", "verdict": "CORRECT", "confidence": 0.5, "signals": {"a": "x"}}]},
        {"calls": [{"stage": "verify"}]},
    ],
)
def test_a_damaged_record_is_named_as_such(change: dict[str, Any]) -> None:
    data = json.loads(RECORD.to_json()) | change
    with pytest.raises(ValueError, match="this is no record of schema_version 1"):
        Record.from_json(json.dumps(data))


def test_signals_become_plain_numbers() -> None:
    given = MappingProxyType({"mass": np.float32(0.5)})
    found = Verification(method="m", verdict=Verdict.CORRECT, confidence=np.float64(0.5), signals=given)
    assert Record(question="q", language="en", prompts="", verifications=(found,)).to_json()
    assert type(found.confidence) is float
    for bad in ("x", None, [1.0]):
        with pytest.raises(ValueError, match=r"signal 'a' of verifier 'm' is a .*, which is no number"):
            Verification(method="m", verdict=Verdict.CORRECT, confidence=0.5, signals={"a": bad})  # type: ignore[dict-item]


SURROGATES = st.text(st.characters(exclude_categories=[]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | SURROGATES,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(SURROGATES, values, max_size=3),
    max_leaves=5,
)


@given(SURROGATES, SURROGATES, st.dictionaries(SURROGATES, JSON_VALUES, max_size=3))
@example("When?", "In May", {"number": 2**64})
def test_a_sealed_record_shows_nothing_and_loses_nothing(question: str, draft: str, metadata: dict[str, Any]) -> None:
    passage = Passage(text=draft, metadata=metadata)
    record = Record(
        question=question, language="en", prompts="", passages=(passage,), drafts=(Draft(tier="small", text=draft),)
    )
    assert Record.unseal(record.seal()) == record


@pytest.mark.parametrize("text", ["", "x", "e30=", "gA==", "wQ==", "e3t7"])
def test_what_is_no_sealed_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Record.unseal(text)


def test_a_sealed_record_is_opaque() -> None:
    assert "draft text" not in RECORD.seal()


def test_a_record_of_a_newer_schema_is_refused() -> None:
    data = json.loads(RECORD.to_json()) | {"schema_version": 99}
    with pytest.raises(ValueError, match="schema_version 99"):
        Record.from_json(json.dumps(data))


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan, math.inf])
def test_confidence_lies_in_the_unit_interval(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        Verification(method="m", verdict=Verdict.CORRECT, confidence=confidence)


def test_a_verification_is_judgement_or_failure_never_both_or_neither() -> None:
    with pytest.raises(ValueError, match="either"):
        Verification(method="m", verdict=Verdict.CORRECT, confidence=0.5, failure="down")
    with pytest.raises(ValueError, match="either"):
        Verification(method="m", verdict=Verdict.UNPARSED, confidence=None)
    with pytest.raises(ValueError, match="either"):
        Verification(method="m", verdict=Verdict.UNPARSED, confidence=0.5)
    with pytest.raises(ValueError, match="either"):
        Verification(method="m", verdict=Verdict.CORRECT, confidence=None, failure="down")


def test_a_verdict_is_a_verdict() -> None:
    with pytest.raises(ValueError, match="must be a Verdict"):
        Verification(method="m", verdict="CORRECT", confidence=1.0)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("text", ['{"schema_version": 1}', '{"schema_version": 1, "surprise": 2}', "[]", "7"])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="record"):
        Record.from_json(text)


@pytest.mark.parametrize(
    "error",
    [
        errors.ConfigurationError("c"),
        errors.MissingExtraError("x", extra="local"),
        errors.ModelFileError("f", name="n"),
        errors.ModelCallError("m", model="l", stage="verify", status=429, retryable=True),
        errors.StoreError("s", path="p"),
    ],
)
def test_errors_survive_pickling(error: errors.AutomixError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__


def test_a_decision_is_one_of_three() -> None:
    said = {"policy": "p", "reason": "r"}
    for wrong in (
        {"accept": True, "abstain": True},
        {"accept": True, "next_tier": 2},
        {"accept": False, "abstain": True, "next_tier": 2},
    ):
        with pytest.raises(ValueError, match="one of the three"):
            Decision(**said, **wrong)  # type: ignore[arg-type]
    for position in (0, -2):
        with pytest.raises(ValueError, match=f"next_tier of policy 'p' is {position}"):
            Decision(**said, accept=False, next_tier=position)  # type: ignore[arg-type]


def test_decisions_survive_json_and_old_ones_are_read() -> None:
    kinds: list[dict[str, Any]] = [{"next_tier": 2}, {"next_tier": -1}, {"abstain": True}, {}]
    decisions = tuple(Decision(accept=False, policy="p", reason="r", **kind) for kind in kinds)
    record = Record(question="q", language="en", prompts="f", decisions=decisions, verifications=(SKIPPED,))
    assert Record.from_json(record.to_json()) == record
    assert Record.from_json(record.to_json()).verifications[0] == SKIPPED
    data = dataclasses.asdict(record)
    data["decisions"] = [{"accept": True, "policy": "p", "reason": "r"}]
    assert Record.from_data(data).decisions == (Decision(accept=True, policy="p", reason="r"),)

import numpy as np
import pytest
from verifications import judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import AcceptCorrect, ColumnPolicy, Judged, Policy, Threshold, decide
from automix_graph.records import Verdict, Verification


@pytest.mark.parametrize(("confidence", "accept"), [(0.0, False), (0.5, False), (0.51, True), (1.0, True)])
def test_accept_correct_follows_the_verdict(confidence: float, accept: bool) -> None:
    assert AcceptCorrect().decide([judged(confidence)]).accept is accept


@pytest.mark.parametrize(("confidence", "accept"), [(0.69, False), (0.7, True), (1.0, True)])
def test_a_threshold_keeps_at_and_above_itself(confidence: float, accept: bool) -> None:
    assert decide(Threshold(0.7), [judged(confidence)]).accept is accept


def test_the_last_verification_decides() -> None:
    assert decide(Threshold(0.7), [judged(0.1), judged(0.9)]).accept is True


@pytest.mark.parametrize("policy", [AcceptCorrect(), Threshold(0.0)])
def test_without_a_judgement_every_policy_escalates(policy: Policy) -> None:
    verification = Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="down")
    decision = decide(policy, [judged(1.0), verification])
    assert decision.accept is False
    assert "down" in decision.reason


def test_a_decision_needs_a_verification() -> None:
    with pytest.raises(ValueError, match="empty"):
        decide(AcceptCorrect(), [])


@pytest.mark.parametrize("minimum", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_a_confidence(minimum: float) -> None:
    with pytest.raises(ConfigurationError, match=r"\[0, 1\]"):
        Threshold(minimum)


@pytest.mark.parametrize("policy", [AcceptCorrect(), Threshold(0.5), Threshold(0.7)])
def test_many_questions_are_decided_as_each(policy: ColumnPolicy) -> None:
    sure = [0.0, 0.5, 0.500001, 0.7, 1.0]
    columns = Judged(confidence=np.array(sure), correct=np.array([value > 0.5 for value in sure]))
    expected = [policy.decide([judged(value)]).accept for value in sure]
    assert policy.accepts([columns]).tolist() == expected
    nothing = Judged(confidence=np.full(5, np.nan), correct=np.zeros(5, dtype=np.bool_))
    assert not policy.accepts([columns, nothing]).any()


def test_policies_say_what_they_keep() -> None:
    assert (AcceptCorrect().keeps, Threshold(0.25).keeps) == ("verdict CORRECT", "confidence >= 0.25")

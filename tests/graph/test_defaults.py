"""Who judges, where the caller does not say, and how a graph draws lots."""

from typing import Any

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.graph.defaults import choose_verifier
from automix_graph.models.calling import NamedModel
from automix_graph.models.scoring import Way
from automix_graph.policies import RandomMix
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, StaticRetriever
from automix_graph.verification import FunctionVerifier, Likelihood, ShortVerdict
from automix_graph.verification.scales import measured_scale


class Scoring(ScriptedChatModel):
    scores_replies: Way = "forced"


def model(label: str) -> NamedModel:
    return NamedModel(label=label, model=Scoring([], label=label))


MEASURED = "local:qwen2.5-coder-1.5b-instruct"
SMALL, LARGE = model("local:smollm2-135m-instruct"), model("openai:gpt-5")


def test_a_model_that_was_measured_judges_by_likelihood_on_its_scale() -> None:
    judge = model(MEASURED)
    for found in (
        choose_verifier(None, small=SMALL, large=judge),
        choose_verifier("small", small=judge, large=LARGE),
        choose_verifier(judge.model, small=SMALL, large=LARGE),
    ):
        assert isinstance(found, Likelihood)
        assert found.model.label == MEASURED
        assert found.scale == measured_scale(MEASURED)


def test_other_models_write_a_short_verdict() -> None:
    for found, label in (
        (choose_verifier(None, small=SMALL, large=LARGE), LARGE.label),
        (choose_verifier("small", small=SMALL, large=LARGE), SMALL.label),
        (choose_verifier("large", small=SMALL, large=LARGE), LARGE.label),
    ):
        assert isinstance(found, ShortVerdict)
        assert found.model.label == label


def test_functions_are_verifiers_and_other_things_are_not() -> None:
    assert isinstance(choose_verifier(lambda case: 0.5, small=SMALL, large=LARGE), FunctionVerifier)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="a function or Runnable that returns a confidence"):
        choose_verifier(0.5, small=SMALL, large=LARGE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verifier", "code", "complaint"),
    [
        ("votes", "unknown-model", r"the verifier is no model: 'votes' .*such as verifier=Votes\(judge=\.\.\.\)"),
        (ShortVerdict, "bad-verifier", r"is the class ShortVerdict; give an instance, such as ShortVerdict\("),
        (7, "bad-verifier", "verifier is 7; give None"),
    ],
)
def test_what_judges_nothing_is_refused(verifier: Any, code: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as refused:
        choose_verifier(verifier, small=SMALL, large=LARGE)
    assert refused.value.code == code


def test_a_better_answer_has_a_higher_confidence_on_the_scale() -> None:
    scale = measured_scale(MEASURED)
    assert scale is not None
    sure = scale.probability({"content_mean": -0.05, "content_first": -0.05})
    unsure = scale.probability({"content_mean": -4.0, "content_first": -6.0})
    assert unsure < 0.3
    assert sure > 0.5
    assert measured_scale("local:smollm2-135m-instruct") is None
    assert measured_scale("local:../../etc") is None


def test_a_random_mix_decides_by_the_question() -> None:
    graph = create_automix(
        small=FunctionChatModel(lambda prompt: "small", label="s"),
        large=FunctionChatModel(lambda prompt: "Correct. large", label="l"),
        retriever=StaticRetriever(["text"]),
        policy=RandomMix(0.5, seed=1),
    )
    routes = [graph.invoke({"question": f"Question {number}?"})["route"] for number in range(40)]
    assert 8 < routes.count("small") < 32
    assert routes == [graph.invoke({"question": f"Question {number}?"})["route"] for number in range(40)]

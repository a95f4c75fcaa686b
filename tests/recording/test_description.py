"""What is told of models and verifiers: what matters, and no secret."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from langchain_core.prompts import PromptTemplate
from langchain_openai import ChatOpenAI

from automix_graph.models.calling import NamedModel, named
from automix_graph.prompts import Template
from automix_graph.recording.description import describe, describe_model
from automix_graph.testing import FunctionChatModel, HashEmbeddings
from automix_graph.verification import EvidenceOnly, FunctionVerifier, ShortVerdict, Votes

KEY = "sk-very-secret"


def openai(**arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(**{"model": "m", "api_key": KEY, "http_socket_options": (), **arguments})


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"base_url": f"https://user:{KEY}@example.org/v1?key={KEY}"},
        {"default_headers": {"Authorization": KEY}},
        {"model_kwargs": {"access_key": KEY, "extra_headers": {"x": KEY}, "auth_token": KEY}},
        {"extra_body": {"nested": {"client_secret": KEY, "key": KEY, "password": KEY}}},
        {"organization": KEY, "openai_proxy": f"http://{KEY}"},
    ],
)
def test_no_secret_is_told(arguments: dict[str, Any]) -> None:
    told = json.dumps(describe_model(named(openai(**arguments))))
    assert KEY not in told
    assert '"openai:m"' in told


@pytest.mark.parametrize(
    "arguments",
    [
        {"temperature": 0.5},
        {"max_tokens": 100},
        {"base_url": "https://example.org/v1"},
        {"seed": 3},
        {"model_kwargs": {"logit_bias_scale": 2}},
        {"extra_body": {"top_k": 5}},
        {"reasoning_effort": "low"},
        {"top_p": 0.5},
    ],
)
def test_what_matters_is_told(arguments: dict[str, Any]) -> None:
    assert describe_model(named(openai(**arguments))) != describe_model(named(openai()))


def test_the_address_of_the_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://{KEY}@127.0.0.1:9/v1")
    told = describe_model(named(openai()))
    assert told["address"] == "http://127.0.0.1:9/v1/"


def test_a_local_model_is_known_by_its_weights_and_not_by_its_address() -> None:
    def local(port: int) -> NamedModel:
        model = openai(base_url=f"http://127.0.0.1:{port}/v1")
        return NamedModel(label="local:smollm2-135m-instruct", model=model)

    told = describe_model(local(1))
    assert told == describe_model(local(2))
    assert "127.0.0.1" not in json.dumps(told)
    assert len(told["sha256"][0]) == 64


def test_verifiers_are_told_with_all_their_parts() -> None:
    judge = FunctionChatModel(lambda prompt: "Correct", label="judge")
    base = ShortVerdict(judge=judge)
    others = [
        ShortVerdict(judge=FunctionChatModel(lambda prompt: "Correct", label="other")),
        ShortVerdict(judge=judge, max_tokens=7),
        ShortVerdict(judge=judge, prompt=Template(name="t", text=FULL, placeholders=PLACEHOLDERS)),
        ShortVerdict(judge=judge, prompt=PromptTemplate.from_template(FULL)),
        Votes(judge=judge),
        Votes(judge=judge, samples=3),
        EvidenceOnly(verifier=base, embeddings=HashEmbeddings()),
        EvidenceOnly(verifier=base, embeddings=HashEmbeddings(name="other")),
        EvidenceOnly(verifier=Votes(judge=judge), embeddings=HashEmbeddings()),
    ]
    told = [json.dumps(describe(verifier), sort_keys=True) for verifier in (base, *others)]
    assert len(set(told)) == len(told)
    assert json.dumps(describe(ShortVerdict(judge=judge)), sort_keys=True) == told[0]


FULL = "{context} {question} {generated_answer}"
PLACEHOLDERS = frozenset({"context", "question", "generated_answer"})


def test_functions_are_told_by_name_and_source() -> None:
    def first(case: dict[str, Any]) -> float:
        return 0.5

    told = describe(FunctionVerifier(function=first))
    assert told["function"]["function"].endswith("first")
    assert len(told["function"]["sha256"]) == 64


def test_values_of_all_kinds_become_json() -> None:
    @dataclass(frozen=True)
    class Own:
        weights: Any
        api_key: str = KEY

    told = describe(Own(weights={"a": np.float64(0.5), "b": np.array([1, 2]), "c": {3, 1, 2}, "d": float("inf")}))
    assert told["weights"] == {"a": 0.5, "b": [1, 2], "c": [1, 2, 3], "d": "inf"}
    assert KEY not in json.dumps(told, allow_nan=False)


def test_a_value_that_holds_itself_comes_to_an_end() -> None:
    endless: list[Any] = []
    endless.append(endless)
    json.dumps(describe(endless))

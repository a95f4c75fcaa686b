from pathlib import Path
from typing import Any

import pytest

from automix_graph.config import DEFAULT_EMBEDDING, DEFAULT_K, DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.errors import ConfigurationError
from automix_graph.langgraph_server import GraphSettings


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> GraphSettings:
    for name, value in variables.items():
        monkeypatch.setenv(f"AUTOMIX_{name}", value)
    return GraphSettings.from_environment()


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    names = "INDEX SMALL LARGE TIERS VERIFIER POLICY EMBEDDING K SEARCH LANGUAGE CONDENSE REVIEW "
    names += "MODE SHADOW_RATE AUDIT_RATE AUDIT_RECORDS AUDIT_MAX_COST AUDIT_REDACT"
    for name in names.split():
        monkeypatch.delenv(f"AUTOMIX_{name}", raising=False)


def test_the_index_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch, INDEX="my-index")
    assert found == GraphSettings(
        index=Path("my-index"),
        models=(DEFAULT_SMALL, DEFAULT_LARGE),
        verifier=None,
        policy=None,
        embedding=DEFAULT_EMBEDDING,
        k=DEFAULT_K,
        search="hybrid",
        language="auto",
        condense=False,
        review=(),
    )


def test_every_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch,
        INDEX="i",
        SMALL="test:s",
        LARGE="test:l",
        VERIFIER="small",
        POLICY="p.json",
        EMBEDDING="test:e",
        K="7",
        SEARCH="bm25",
        LANGUAGE="zh",
        CONDENSE="True",
        REVIEW="escalate, abstain",
        MODE="shadow",
        SHADOW_RATE="0.25",
        AUDIT_RATE="0.5",
        AUDIT_RECORDS="r.jsonl",
        AUDIT_MAX_COST="3",
        AUDIT_REDACT="on",
    )
    assert found == GraphSettings(
        index=Path("i"),
        models=("test:s", "test:l"),
        verifier="small",
        policy=Path("p.json"),
        embedding="test:e",
        k=7,
        search="bm25",
        language="zh",
        condense=True,
        review=("escalate", "abstain"),
        mode="shadow",
        shadow_rate=0.25,
        audit_rate=0.5,
        audit_records=Path("r.jsonl"),
        audit_max_cost=3.0,
        audit_redact=True,
    )


def test_tiers_name_all_models(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, INDEX="i", TIERS="a:1, b:2,c:3").models == ("a:1", "b:2", "c:3")


def test_empty_variables_count_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = dict.fromkeys(("SMALL", "LARGE", "TIERS", "VERIFIER", "POLICY", "EMBEDDING", "K", "CONDENSE", "REVIEW"), "")
    assert settings(monkeypatch, INDEX="i", **empty) == GraphSettings(index=Path("i"))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "AUTOMIX_INDEX is not set; make an index with 'automix index PATH… --out DIR', and set AUTOMIX_INDEX"),
        ({"INDEX": " "}, "AUTOMIX_INDEX is not set"),
        ({"INDEX": "i", "K": "0"}, "AUTOMIX_K is '0'; use a whole number of at least 1"),
        ({"INDEX": "i", "K": "four"}, "AUTOMIX_K is 'four'; use a whole number"),
        ({"INDEX": "i", "CONDENSE": "maybe"}, "AUTOMIX_CONDENSE is 'maybe'; use true or false"),
        ({"INDEX": "i", "TIERS": "a:1"}, "AUTOMIX_TIERS is 'a:1'; name two or more models"),
        ({"INDEX": "i", "AUDIT_RATE": "half"}, "AUTOMIX_AUDIT_RATE is 'half'; use a number"),
        ({"INDEX": "i", "AUDIT_RATE": "0.1"}, "AUTOMIX_AUDIT_RECORDS is not set; shadow mode and audits need a file"),
        ({"INDEX": "i", "MODE": "shadow"}, "AUTOMIX_AUDIT_RECORDS is not set"),
        (
            {"INDEX": "i", "AUDIT_RECORDS": "r"},
            "AUTOMIX_AUDIT_RECORDS is set and nothing is recorded; set ",
        ),
        ({"INDEX": "i", "AUDIT_MAX_COST": "1"}, "AUTOMIX_AUDIT_MAX_COST is set and nothing is recorded"),
        ({"INDEX": "i", "AUDIT_REDACT": "yes"}, "AUTOMIX_AUDIT_REDACT is set and nothing is recorded"),
        ({"INDEX": "i", "TIERS": "a:1,b:2", "LARGE": "c:3"}, "AUTOMIX_TIERS and AUTOMIX_LARGE are set"),
    ],
)
def test_what_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch, variables: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        settings(monkeypatch, **variables)
    assert str(raised.value).startswith(message)

"""Laws of options and settings: the call beats the file, the file the environment, and that the default."""

import math
import os
from pathlib import Path
from unittest.mock import patch

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automix_graph.cli.index import _plan
from automix_graph.cli.options import embedding_option, large_option, small_option
from automix_graph.cli.price_option import price_option
from automix_graph.config import (
    DEFAULT_EMBEDDING,
    DEFAULT_LARGE,
    DEFAULT_SMALL,
    ENV_API_KEYS,
    ENV_EMBEDDING,
    ENV_LARGE,
    ENV_SMALL,
    setting,
)
from automix_graph.costs import Price
from automix_graph.errors import ConfigurationError
from automix_graph.langgraph_server.environment import GraphSettings
from automix_graph.retrieval import FaissStore, IndexPlan
from automix_graph.serving.gate.keys import read_keys
from automix_graph.testing.embeddings import HashEmbeddings

WORDS = st.from_regex(r"[a-z0-9][a-z0-9:./-]{0,8}", fullmatch=True)
VARIABLES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
NUMBERS = st.floats(0, 1e6, allow_nan=False)


@given(call=st.none() | st.text(max_size=3), variable=st.none() | VARIABLES, default=WORDS)
def test_the_call_beats_the_environment_and_that_the_default(
    call: str | None, variable: str | None, default: str
) -> None:
    with patch.dict(os.environ, {} if variable is None else {"AUTOMIX_LAW": variable}):
        assert setting(call, env="AUTOMIX_LAW", default=default) == (call if call is not None else variable or default)


@click.command()
@small_option
@large_option
@embedding_option
def models(**values: str) -> None:
    """Take the options of models."""


@given(calls=st.tuples(*[st.none() | WORDS] * 3), variables=st.tuples(*[st.none() | WORDS] * 3))
def test_options_of_models(calls: tuple[str | None, ...], variables: tuple[str | None, ...]) -> None:
    names, keys = ("small", "large", "embedding"), (ENV_SMALL, ENV_LARGE, ENV_EMBEDDING)
    given_ = [part for name, call in zip(names, calls, strict=True) if call for part in (f"--{name}", call)]
    environment = {key: value for key, value in zip(keys, variables, strict=True) if value}
    with patch.dict(os.environ, environment):
        context = models.make_context("models", list(given_))
    defaults = (DEFAULT_SMALL, DEFAULT_LARGE, DEFAULT_EMBEDDING)
    expected = [call or variable or default for call, variable, default in zip(calls, variables, defaults, strict=True)]
    assert [context.params[name] for name in names] == expected


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    for name, plan in (("hnsw", IndexPlan(index_type="hnsw", recall_target=0.8)), ("auto", IndexPlan())):
        with FaissStore(HashEmbeddings()) as store:
            store.index_plan = plan
            store.save(folder / name)
    return folder


TYPES = st.none() | st.sampled_from(["auto", "flat", "hnsw", "ivf", "ivf_sq8"])


@given(index_type=TYPES, recall=st.none() | st.floats(0.01, 1), kept=st.sampled_from(["hnsw", "auto", "none"]))
def test_an_index_keeps_what_the_call_does_not_say(
    index_type: str | None, recall: float | None, kept: str, stored: Path
) -> None:
    before = IndexPlan(index_type="hnsw", recall_target=0.8) if kept == "hnsw" else IndexPlan()
    found = _plan(stored / kept, index_type, recall)  # type: ignore[arg-type]  # one of the types
    if index_type is None and recall is None:
        assert found is None  # as it is
    else:
        assert found == IndexPlan(
            index_type=index_type or before.index_type,  # type: ignore[arg-type]
            recall_target=before.recall_target if recall is None else recall,
        )


@given(keys=st.lists(WORDS, min_size=1, max_size=3), variable=st.lists(WORDS, max_size=3))
def test_keys_of_a_file_beat_those_of_the_environment(
    keys: list[str], variable: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "keys"
    file.write_text("# keys\n\n" + "".join(f" {key}\n" for key in keys))
    with patch.dict(os.environ, {ENV_API_KEYS: ", ".join(variable)}):
        assert read_keys(file) == tuple(keys)
        assert read_keys(None) == tuple(variable)


@given(k=VARIABLES, condense=VARIABLES, tiers=VARIABLES)
def test_any_environment_is_used_or_refused_by_name(k: str, condense: str, tiers: str) -> None:
    variables = {"AUTOMIX_INDEX": "index", "AUTOMIX_K": k, "AUTOMIX_CONDENSE": condense, "AUTOMIX_TIERS": tiers}
    with patch.dict(os.environ, variables, clear=True):
        try:
            found = GraphSettings.from_environment()
        except ConfigurationError as error:
            assert "AUTOMIX_" in str(error)
            return
    assert found.k >= 1 and (found.k == int(k) if k.strip() else found.k == 4)
    assert len(found.models) >= 2


@click.command()
@price_option
def priced(given: object) -> None:
    """Take prices."""


def prices(*values: str) -> tuple[tuple[str, Price], ...]:
    arguments = [part for value in values for part in ("--price", value)]
    found: tuple[tuple[str, Price], ...] = priced.make_context("priced", arguments).params["given"]
    return found


@given(label=WORDS, numbers=st.tuples(NUMBERS, NUMBERS) | st.tuples(NUMBERS, NUMBERS, st.just(0.0)))
def test_a_price_is_read_as_it_is_written(label: str, numbers: tuple[float, ...]) -> None:
    assert prices(f"{label}={'/'.join(map(repr, numbers))}") == ((label, Price(*numbers)),)


@settings(max_examples=200)
@given(st.text(max_size=12) | st.from_regex(r"[a=]{0,3}[0-9a-z./+_-]{0,8}", fullmatch=True))
def test_any_text_is_a_price_or_is_refused(text: str) -> None:
    try:
        ((label, price),) = prices(text)
    except click.BadParameter as error:
        assert repr(text) in str(error)
        return
    assert label and text.startswith(f"{label}=")
    assert all(number is None or (number >= 0 and math.isfinite(number)) for number in price)

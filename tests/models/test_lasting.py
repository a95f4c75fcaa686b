"""What is logged of calls that fail for a reason that lasts."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from openai_api import answering, openai_model

from automix_graph import create_automix
from automix_graph.models.lasting import _warn_once
from automix_graph.testing import FunctionChatModel, StaticRetriever

SECRET = "what the user asked"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("status", "code", "warnings"),
    [(404, "model_not_found", 1), (401, "invalid_api_key", 1), (429, "insufficient_quota", 1), (500, "oops", 0)],
)
def test_a_reason_that_lasts_is_told_once(
    status: int, code: str, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return status, {"error": {"message": f"no: {SECRET}", "type": code, "code": code}}

    _warn_once.cache_clear()
    with answering(refuse) as url, caplog.at_level(logging.WARNING, "automix_graph"):
        graph = create_automix(
            small=openai_model(url),
            large=FunctionChatModel(lambda _: "LARGE", label="l"),
            verifier=FunctionChatModel(lambda _: "Correct", label="j"),
            retriever=StaticRetriever(["text"]),
        )
        for _ in range(3):
            assert graph.invoke({"question": SECRET})["route"] == "large"
    told = [record.getMessage() for record in caplog.records if "small_answer" in record.getMessage()]
    assert len(told) == warnings
    assert all("openai:m failed in small_answer" in text and SECRET not in text for text in told)

"""The steps of a question: whatever a model does on the way, the text adds up to the committed answer."""

import re
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from served import DRAFT, LARGE, PatientModel, client, make_graph

from automix_graph.serving.asking import NoAnswerError, Outcome, Progress, Restart, Step, Text, asked


async def steps_of(graph: Any, question: str = "hard") -> list[Step]:
    return [step async for step in asked(graph, question, config={})]


def text_of(steps: list[Step]) -> str:
    """Read the text as a client that forgets at a restart does."""
    text = ""
    for step in steps:
        text = "" if isinstance(step, Restart) else text + step.text if isinstance(step, Text) else text
    return text


@pytest.mark.parametrize(
    ("graph", "question", "answer"),
    [
        (make_graph(), "easy", DRAFT),
        (make_graph(), "hard", LARGE),
        (make_graph(judge=lambda _: "hm"), "easy", LARGE),
        (make_graph(small=lambda _: RuntimeError("x")), "easy", LARGE),
        (make_graph(judge=lambda _: RuntimeError("x")), "easy", LARGE),
        (make_graph(large=PatientModel(error_at=0)), "hard", DRAFT),
        (make_graph(large=PatientModel(pieces=("half", "way"), error_at=1)), "hard", DRAFT),
    ],
    ids=["accepted", "escalated", "unparsed", "small fails", "judge fails", "large fails", "large breaks off"],
)
async def test_the_text_adds_up_to_the_answer(graph: Any, question: str, answer: str) -> None:
    steps = await steps_of(graph, question)
    outcome = steps[-1]
    assert isinstance(outcome, Outcome)
    assert text_of(steps) == outcome.output["answer"] == answer
    assert (await graph.ainvoke({"question": question}))["answer"] == answer


async def test_progress_comes_in_order_and_before_the_text() -> None:
    steps = await steps_of(make_graph())
    events = [step.event for step in steps if isinstance(step, Progress)]
    assert events == ["retrieved", "drafted", "verified", "escalated", "answer"]
    first = next(number for number, step in enumerate(steps) if isinstance(step, Text))
    assert [step.event for step in steps[:first] if isinstance(step, Progress)] == events[:4]


async def test_a_model_that_breaks_off_makes_a_restart() -> None:
    steps = await steps_of(make_graph(large=PatientModel(pieces=("half", "way"), error_at=1)))
    kinds = [type(step) for step in steps if isinstance(step, Text | Restart)]
    assert kinds[:2] == [Text, Restart]
    assert kinds.count(Restart) == 1


class Streamed:
    """What streams as a graph does."""

    def __init__(self, *parts: tuple[str, Any]) -> None:
        self.parts = parts

    async def astream(self, *_: Any, **__: Any) -> Any:
        for part in self.parts:
            yield part


def ending(answer: str) -> tuple[str, dict[str, Any]]:
    keys = ("route", "confidence", "verdict", "documents", "usage", "cost", "degraded", "degraded_reason")
    return "values", dict.fromkeys(keys) | {"answer": answer}


def message(text: str, identifier: str | None = "1") -> tuple[str, tuple[AIMessage, dict[str, Any]]]:
    return "messages", (AIMessageChunk(content=text, id=identifier), {})


@pytest.mark.parametrize(
    ("parts", "steps"),
    [
        ([ending("all")], [Text(text="all")]),
        ([message("al"), ending("all")], [Text(text="al"), Text(text="l")]),
        ([message("x"), ending("all")], [Text(text="x"), Restart(), Text(text="all")]),
        ([message("x"), message("all", "2"), ending("all")], [Text(text="x"), Restart(), Text(text="all")]),
        ([message("", "0"), message("all", None), ending("all")], [Text(text="all")]),
        ([("messages", (HumanMessage("q"), {})), ending("all")], [Text(text="all")]),
        ([("custom", "of somebody else"), ending("all")], [Text(text="all")]),
    ],
)
async def test_a_client_has_the_committed_text_whatever_was_streamed(
    parts: list[tuple[str, Any]], steps: list[Step]
) -> None:
    *found, outcome = await steps_of(Streamed(*parts))
    assert found == steps
    assert isinstance(outcome, Outcome)


async def test_a_graph_that_ends_without_an_answer_is_a_failure() -> None:
    with pytest.raises(NoAnswerError, match="without answer"):
        await steps_of(Streamed(("values", {"question": "q"})))


def test_ask_tells_the_steps_and_refuses_what_is_no_question() -> None:
    with client() as ask:
        text = ask.post("/ask", json={"question": "hard"}).text
        names = re.findall("^event: (.*)$", text, re.MULTILINE)
        assert names == [*["progress"] * 4, *["text"] * 3, "progress", "outcome"]
        for body, status in (({}, 400), ({"question": " "}, 400), ({"question": "q", "model": "x"}, 404)):
            assert ask.post("/ask", json=body).status_code == status
        assert ask.post("/ask", json={"question": "q", "more": 1}).json()["error"]["param"] == "more"

"""The page in a real browser: both routes, both languages, a phone, things that go wrong and things that take long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Tab, browsing, find_browser
from served import DRAFT, KEY, LARGE, PatientModel, Running, make_graph, served

from automix_graph import create_automix
from automix_graph.serving import ServingSettings, create_app
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever

pytestmark = pytest.mark.integration

needs_browser = pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine")
DONE = "!run && Boolean(state.outcome || state.error)"
MARKUP = "<img src=x onerror='window.hacked=true'><script>window.hacked=true</script>"


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with browsing() as tab:
        yield tab


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    settings = ServingSettings(langserve=False)
    cheap = make_graph(judge=lambda _: ScriptedReply(text="Correct", usage=(20, 1)))
    policies = {"strict": make_graph(judge=lambda _: "Incorrect"), "cheap": cheap}
    with served(create_app(make_graph(), policies=policies, settings=settings)) as it:
        yield it


def shown(tab: Tab, identifier: str) -> str:
    return str(
        tab.js(
            f"getComputedStyle(document.getElementById('{identifier}')).display === 'none' ? '' : "
            f"document.getElementById('{identifier}').innerText"
        )
    )


def ask(tab: Tab, question: str) -> None:
    tab.js("{ const field = document.getElementById('question'); field.value = ''; field.focus(); }")
    tab.write(question)
    tab.press("Enter")


def steps(tab: Tab) -> list[str]:
    found: list[str] = tab.js("[...document.querySelectorAll('#steps li')].map(item => item.className)")
    return found


@needs_browser
@pytest.mark.parametrize(
    ("question", "answer", "route", "verdict"),
    [("easy", DRAFT, "small", "Correct"), ("hard", LARGE, "large", "Incorrect")],
)
def test_a_question_is_asked_and_answered(
    tab: Tab, running: Running, question: str, answer: str, route: str, verdict: str
) -> None:
    tab.open(f"{running.url}/")
    assert tab.js("document.activeElement.id") == "question"
    ask(tab, question)
    tab.wait(DONE)
    assert shown(tab, "answer") == answer
    assert shown(tab, "pills") == f"Answered by the {route} model"
    assert verdict in shown(tab, "why")
    middle = ["done"] if route == "small" else ["rejected", "done"]
    assert steps(tab) == ["done", "done", *middle, "done"]
    assert shown(tab, "status") == f"The answer is complete. {answer}"
    assert tab.js("document.querySelectorAll('#cost tbody tr').length") == (2 if route == "small" else 3)
    assert "Lost\n" in shown(tab, "cost")  # the examples that the judge reads cost more than the large answer
    assert tab.js("[...document.querySelectorAll('#sources summary')].map(s => s.innerText)") == ["p0", "p1"]
    assert "Questions\n1" in shown(tab, "totals")
    assert tab.complaints == []


@needs_browser
def test_what_is_saved_is_told(tab: Tab, running: Running) -> None:
    tab.open(f"{running.url}/")
    tab.wait("!document.getElementById('model').hidden")
    tab.js("document.getElementById('model').value = 'cheap'")
    ask(tab, "easy")
    tab.wait(DONE)
    # 60 and 3 tokens of the small model, 20 and 1 of the judge; the large model would have had the 60 and 3.
    assert "This answer\n$0.000130\n" in shown(tab, "cost")
    assert "The large model alone (estimated)\n$0.000660\nSaved\n$0.000530" in shown(tab, "cost")


@needs_browser
def test_totals_run_and_policies_can_be_chosen(tab: Tab, running: Running) -> None:
    tab.open(f"{running.url}/")
    tab.wait("!document.getElementById('model').hidden")
    ask(tab, "easy")
    tab.wait(DONE)
    tab.js("document.getElementById('model').value = 'strict'")
    ask(tab, "easy")
    tab.wait("!run && totals.asked === 2")
    assert shown(tab, "answer") == LARGE
    assert "Questions\n2\nAnswered by the small model\n1 (50 %)\nModel calls\n5" in shown(tab, "totals")


@needs_browser
def test_the_page_speaks_chinese(tab: Tab, running: Running) -> None:
    tab.open(f"{running.url}/", language="zh-CN")
    assert tab.js("document.documentElement.lang") == "zh-CN"
    assert tab.js("document.querySelector('label[for=question]').innerText") == "你的问题"
    ask(tab, "hard")
    tab.wait(DONE)
    assert shown(tab, "pills") == "由大模型回答"
    tab.js("document.querySelector('[data-lang=en]').click()")
    assert shown(tab, "pills") == "Answered by the large model"
    assert tab.js("JSON.stringify(Object.keys(WORDS.en)) === JSON.stringify(Object.keys(WORDS.zh))")
    assert tab.js("JSON.stringify(Object.keys(WORDS.en.errors)) === JSON.stringify(Object.keys(WORDS.zh.errors))")


@needs_browser
def test_text_is_never_markup(tab: Tab) -> None:
    retriever = StaticRetriever([MARKUP])
    retriever.documents[0].metadata = {"title": MARKUP}
    graph = create_automix(
        small=FunctionChatModel(lambda _: MARKUP, label=MARKUP),
        large=FunctionChatModel(lambda _: "Correct", label="large"),
        retriever=retriever,
    )
    with served(create_app(graph, settings=ServingSettings(langserve=False))) as running:
        tab.open(f"{running.url}/")
        ask(tab, MARKUP)
        tab.wait(DONE)
        assert shown(tab, "answer") == MARKUP
        assert tab.js("document.querySelector('#sources summary').innerText") == MARKUP
        assert tab.js("document.querySelectorAll('main img, main script').length") == 0
        assert tab.js("window.hacked") is None


@needs_browser
def test_a_slow_answer_is_told_and_can_be_stopped(tab: Tab) -> None:
    patient = PatientModel(pieces=("slowly",), pause=30)
    with served(create_app(make_graph(large=patient), settings=ServingSettings(langserve=False))) as running:
        tab.open(f"{running.url}/")
        ask(tab, "hard")
        tab.wait("running()?.kind === 'drafts' && running().tier === 'large'")
        assert steps(tab) == ["done", "done", "rejected", "running", "waiting"]
        assert shown(tab, "answer") == "An answer shows up here once it is accepted."
        assert shown(tab, "slow") == ""
        tab.js("run.since -= 9000; drawSlow()")
        assert re.match(r"Still working: \d+ seconds so far\.", shown(tab, "slow"))
        assert shown(tab, "status").startswith("Still working")
        tab.press("Escape")
        tab.wait("!run")
        assert shown(tab, "status") == "Stopped. The calls on the way were cancelled."
        assert shown(tab, "slow") == ""
        assert shown(tab, "error") == ""
        assert patient.cancelled.wait(10)


@needs_browser
def test_the_answer_grows_as_it_is_written(tab: Tab) -> None:
    patient = PatientModel(pieces=("one ", "two ", "three"), pause=0.3)
    with served(create_app(make_graph(large=patient), settings=ServingSettings(langserve=False))) as running:
        tab.open(f"{running.url}/")
        ask(tab, "hard")
        tab.wait("state.text === 'one '")
        assert shown(tab, "pills") == "Writing"
        assert shown(tab, "answer").strip() == "one"
        tab.wait(DONE)
        assert shown(tab, "answer") == "one two three"


@needs_browser
def test_a_draft_that_was_begun_is_forgotten(tab: Tab) -> None:
    graph = make_graph(large=PatientModel(pieces=("half", "way"), error_at=1))
    with served(create_app(graph, settings=ServingSettings(langserve=False))) as running:
        tab.open(f"{running.url}/")
        ask(tab, "hard")
        tab.wait(DONE)
        assert shown(tab, "answer") == DRAFT
        assert shown(tab, "pills") == "The last model failed: this is a rejected answer"
        assert steps(tab) == ["done", "done", "rejected", "failed", "done"]


@needs_browser
def test_text_that_is_void_is_forgotten_at_once(tab: Tab, running: Running) -> None:
    tab.open(f"{running.url}/")
    tab.wait("!document.getElementById('model').hidden")
    tab.js(
        "window.fetch = async () => ({ ok: true, body: new ReadableStream({ start(to) { "
        "window.feed = text => to.enqueue(new TextEncoder().encode(text)); } }) })"
    )
    ask(tab, "q")
    tab.js(r"""feed('event: text\ndata: {"text":"half an"}\n\nevent: te')""")
    tab.wait("state.text === 'half an'")
    tab.js(r"""feed('xt\ndata: {"text":" answer"}\n\nevent: restart\ndata: {}\n\nevent: text\n')""")
    tab.js(r"""feed('data: {"text":"another"}\n\n')""")
    tab.wait("state.text.endsWith('another')")
    assert shown(tab, "answer") == "another"
    assert shown(tab, "status") == "The model failed on the way; another answer begins."


@needs_browser
def test_every_tier_has_its_steps(tab: Tab) -> None:
    names = ("small", "middle", "large")
    graph = create_automix(
        tiers=[FunctionChatModel(lambda _: LARGE, label=name) for name in names],
        verifier=FunctionChatModel(lambda _: "Incorrect", label="judge"),
        retriever=StaticRetriever(["text"]),
    )
    with served(create_app(graph, settings=ServingSettings(langserve=False))) as running:
        tab.open(f"{running.url}/")
        ask(tab, "q")
        tab.wait(DONE)
        assert steps(tab) == ["done", "done", "rejected", "done", "rejected", "done", "done"]
        told = tab.js("[...document.querySelectorAll('#steps .name')].map(name => name.innerText.split('\\n')[0])")
        assert told[1:6] == [
            "The small model answers",
            "The judge checks it",
            "The middle model answers",
            "The judge checks the middle answer",
            "The large model answers",
        ]


@needs_browser
def test_an_error_is_told_and_the_question_can_be_asked_again(tab: Tab) -> None:
    failures = iter([True, False])

    def large(_: str) -> Any:
        return RuntimeError("SECRET") if next(failures) else LARGE

    graph = make_graph(large=large, on_large_failure="raise")
    with served(create_app(graph, settings=ServingSettings(langserve=False))) as running:
        tab.open(f"{running.url}/")
        ask(tab, "hard")
        tab.wait(DONE)
        assert shown(tab, "error").startswith("A model failed, and there is no answer to give.")
        assert "SECRET" not in tab.js("document.body.innerText")
        assert tab.js("document.getElementById('error').getAttribute('role')") == "alert"
        assert shown(tab, "answer-card") == ""
        tab.js("document.querySelector('#error button').click()")
        tab.wait("!run && Boolean(state.outcome)")
        assert shown(tab, "answer") == LARGE
        assert shown(tab, "error") == ""
    ask(tab, "easy")
    tab.wait(DONE)
    assert shown(tab, "error").startswith("The server cannot be reached.")


@needs_browser
def test_a_key_is_asked_for_where_one_is_needed(tab: Tab) -> None:
    with served(create_app(make_graph(), settings=ServingSettings(keys=(KEY,), langserve=False))) as running:
        tab.open(f"{running.url}/")
        ask(tab, "easy")
        tab.wait(DONE)
        assert shown(tab, "error").startswith("This server needs an access key.")
        assert tab.js("document.activeElement.id") == "key"
        tab.write(KEY)
        tab.press("Enter")
        tab.wait("!run && Boolean(state.outcome)")
        assert shown(tab, "answer") == DRAFT


@needs_browser
@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_nothing_is_wider_than_the_screen(tab: Tab, running: Running, width: int) -> None:
    tab.open(f"{running.url}/", width=width, height=800)
    ask(tab, "hard")
    tab.wait(DONE)
    assert tab.js("document.documentElement.scrollWidth") <= width


@needs_browser
def test_everything_can_be_reached_with_the_keyboard(tab: Tab, running: Running) -> None:
    tab.open(f"{running.url}/")
    ask(tab, "easy")
    tab.wait(DONE)
    tab.js("document.body.focus(); document.querySelector('[data-lang=en]').focus()")
    reached = []
    for _ in range(12):
        reached.append(
            tab.js("document.activeElement.id || document.activeElement.tagName + document.activeElement.className")
        )
        tab.press("Tab")
    assert {"question", "ask", "model", "BUTTON", "SUMMARY", "DIVscroll"} <= set(reached)

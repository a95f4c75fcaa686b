import asyncio
import json
import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings
from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.graph import build_automix
from automix_graph.models.calling import NamedModel
from automix_graph.prompts import Layout, load_prompts, shown_context
from automix_graph.records import Passage, Reading, Record, Verdict, Verification
from automix_graph.testing import FunctionChatModel, HashEmbeddings, ScriptedChatModel, StaticRetriever
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Case, FunctionVerifier, Judgement, ShortVerdict, Verifier
from automix_graph.verification.reading import EvidenceOnly, WithinBudget, approximate_tokens

FILLER = "Rain fell on the green hills all night. Cows stood under old trees. Nobody went out to look. "
FACT = "The museum opened in 1921."


def words(text: str) -> int:
    return len(text.split())


def a_case(*texts: str, question: str = "When was the museum opened?", answer: str = "In 1921", **more: Any) -> Case:
    passages = tuple(Passage(text=text, id=f"p{i}", metadata={"page": i}) for i, text in enumerate(texts))
    prompts = load_prompts(more.pop("language", "en")).in_layout(more.pop("layout", "shared"))
    return Case(question=question, passages=passages, answer=answer, prompts=prompts, **more)


Make = Callable[..., WithinBudget | EvidenceOnly]


def within(inner: Verifier, budget: int, **more: Any) -> WithinBudget:
    return WithinBudget(verifier=inner, max_context_tokens=budget, **{"count_tokens": words, **more})


def evidence(inner: Verifier, budget: int, **more: Any) -> EvidenceOnly:
    return EvidenceOnly(
        verifier=inner, max_context_tokens=budget, **{"count_tokens": words, "embeddings": HashEmbeddings(512), **more}
    )


BOTH = pytest.mark.parametrize("make", [within, evidence])


class Spy:
    """A verifier that keeps the cases that it was shown."""

    method = "spy"
    reads_logprobs = True

    def __init__(self, reading: Reading | None = None) -> None:
        self.cases: list[Case] = []
        self.reading = reading

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        self.cases.append(case)
        found = Verification(method="spy", verdict=Verdict.CORRECT, confidence=0.7, reading=self.reading)
        return Judgement(verification=found)

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        return self.verify(case, config)

    @property
    def texts(self) -> list[str]:
        """The passages of the only case."""
        (case,) = self.cases
        return [passage.text for passage in case.passages]


async def read(make: Make, case: Case, budget: int, **more: Any) -> tuple[Case | None, Verification]:
    """Judge by both doors, and return what both showed to the verifier inside, and found."""
    seen = []
    for door in ("verify", "averify"):
        spy = Spy()
        verifier = make(spy, budget, **more)
        judgement = verifier.verify(case) if door == "verify" else await verifier.averify(case)
        seen.append((spy.cases[0] if spy.cases else None, judgement.verification))
    assert seen[0] == seen[1]
    return seen[0]


@BOTH
async def test_what_fits_is_read_as_it_is(make: Make) -> None:
    case = a_case("One.  Two\n\nthree. ", "Four.", logprobs=(-0.1,))
    shown, found = await read(make, case, 8)  # with two numbers of passages and two marks of lines
    assert shown is case
    assert found.reading is None


@BOTH
async def test_a_case_without_passages_is_read_as_it_is(make: Make) -> None:
    shown, found = await read(make, a_case(), 1)
    assert shown is not None
    assert found.reading is None


@pytest.mark.parametrize(("budget", "kept"), [(9, 3), (8, 2), (6, 2), (5, 1), (2, 1)])
async def test_passages_go_from_the_tail(budget: int, kept: int) -> None:
    case = a_case("a b", "c d", "e f", "g h")
    shown, found = await read(within, case, budget)
    assert shown is not None
    assert shown.passages == case.passages[:kept]
    assert found.reading == Reading(
        kind="budget",
        passages=tuple(range(kept)),
        omitted=tuple(range(kept, 4)),
        tokens=words(shown_context(shown.passages)),
    )


@pytest.mark.parametrize(
    ("text", "budget", "shown"),
    [
        ("It rained. It snowed. It froze hard.", 6, "It rained. It snowed. …"),
        ("It rained on 1,921 very old houses. It froze.", 5, "It rained on 1,921 …"),
        ("他来了。她走了。没有人知道。", 10, "他来了。她走了。…"),
        ("没有人知道他们去了哪里。", 7, "没有人知道…"),
    ],
)
async def test_a_first_passage_that_is_too_long_is_cut(text: str, budget: int, shown: str) -> None:
    count = len if "。" in text else words
    case, found = await read(within, a_case(text, "Second."), budget, count_tokens=count)
    assert case is not None
    (passage,) = case.passages
    assert (passage.text.replace(" …", "…"), passage.id) == (shown.replace(" …", "…"), "p0")
    assert found.reading is not None
    assert (found.reading.passages, found.reading.omitted) == ((0,), (1,))


async def test_a_number_is_not_cut() -> None:
    case, _ = await read(within, a_case("It cost 1,921,000 dollars in all"), 14, count_tokens=len)
    assert case is not None
    assert case.passages[0].text == "It cost …"


@BOTH
async def test_a_budget_that_nothing_fits_is_a_failure_that_costs_no_call(make: Make) -> None:
    shown, found = await read(make, a_case("Some text. And more."), 5, count_tokens=lambda text: len(text) + 10)
    assert shown is None
    assert found.confidence is None
    assert "max_context_tokens=5" in str(found.failure)
    assert found.reading is not None
    assert (found.reading.passages, found.reading.omitted, found.reading.tokens) == ((), (0,), 0)


async def test_evidence_is_the_sentence_that_bears_on_the_case() -> None:
    case = a_case(FILLER * 2, f"{FILLER}{FACT} {FILLER}", FILLER)
    shown, found = await read(evidence, case, 5)
    assert shown is not None
    assert shown.passages == (Passage(text=FACT, id="p1", metadata={"page": 1}),)
    assert found.reading == Reading(kind="evidence", passages=(1,), omitted=(0, 2), tokens=5, cut=(1,))


async def test_evidence_keeps_the_order_of_the_context_and_marks_gaps() -> None:
    first = f"Mist lay on the sea. {FACT} It was red. {FILLER}In 1921 the museum was new."
    case = a_case(first, FILLER, "The museum opened its second house. It was sad.")
    shown, found = await read(evidence, case, 20)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == [
        f"{FACT} … In 1921 the museum was new.",
        "The museum opened its second house.",
    ]
    assert found.reading is not None
    assert (found.reading.passages, found.reading.omitted) == ((0, 2), (1,))
    assert found.reading.tokens == words(shown_context(shown.passages)) <= 20


async def test_a_neighbour_is_read_before_a_stranger() -> None:
    case = a_case(f"{FILLER}Its doors were red. {FACT} {FILLER}")
    shown, _ = await read(evidence, case, 9)
    assert shown is not None
    assert shown.passages[0].text == f"Its doors were red. {FACT}"


async def test_a_number_of_the_answer_is_looked_up() -> None:
    """With an embedding model that tells nothing apart."""
    case = a_case(f"{FILLER}In all, 12,500 came. {FILLER}", question="How many visitors?", answer="12500")
    shown, _ = await read(evidence, case, 4, embeddings=Constant())
    assert shown is not None
    assert shown.passages[0].text == "In all, 12,500 came."


async def test_evidence_in_chinese() -> None:
    filler = "夜里山上下着雨。牛站在老树下面。没有人出去看。"
    case = a_case(
        f"{filler}博物馆于1921年开放。{filler}", filler, question="博物馆哪一年开放？", answer="1921年", language="zh"
    )
    shown, found = await read(evidence, case, 13, count_tokens=approximate_tokens)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == ["博物馆于1921年开放。"]
    assert found.reading is not None
    assert found.reading.tokens == 12


async def test_what_is_said_twice_is_read_once() -> None:
    case = a_case(f"{FACT} {FILLER}", f"{FACT} {FILLER}", "A museum is a house.")
    shown, _ = await read(evidence, case, 12)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == [FACT, "A museum is a house."]


async def test_a_best_sentence_that_is_too_long_is_cut() -> None:
    case = a_case(FILLER, "The museum opened in 1921 after many years of hard and slow work.")
    shown, found = await read(evidence, case, 6)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == ["The museum opened in 1921 …"]
    assert found.reading == Reading(kind="evidence", passages=(1,), omitted=(0,), tokens=6, cut=(1,))


class Constant(Embeddings):
    """Vectors that say nothing."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[self.value, 0.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("all texts go into one call")


async def test_zero_vectors_are_similar_to_nothing() -> None:
    shown, found = await read(evidence, a_case(FILLER + FACT), 5, embeddings=Constant())
    assert shown is not None
    assert shown.passages[0].text == FACT
    assert found.confidence == 0.7


class Few(Constant):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0]]


class Down(Constant):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise ConnectionError(f"no answer to {texts[0]}")


class Mistaken(Constant):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("embeddings", "reason"),
    [(Few(), "1 vectors"), (Down(), "ConnectionError"), (Constant(math.nan), "NaN"), (Constant(math.inf), "infinity")],
)
async def test_an_embedding_model_that_fails_is_a_failed_verification(embeddings: Embeddings, reason: str) -> None:
    shown, found = await read(evidence, a_case(FILLER, FACT), 5, embeddings=embeddings)
    assert shown is None
    assert (found.method, found.verdict, found.confidence) == ("spy", Verdict.UNPARSED, None)
    assert reason in str(found.failure)
    assert "Rain" not in str(found.failure)
    assert found.reading == Reading(kind="evidence", passages=(), omitted=(0, 1), tokens=0)


async def test_a_mistake_in_code_is_not_hidden() -> None:
    verifier = evidence(Spy(), 5, embeddings=Mistaken())
    with pytest.raises(NotImplementedError):
        verifier.verify(a_case(FILLER))
    with pytest.raises(NotImplementedError):
        await verifier.averify(a_case(FILLER))


@BOTH
async def test_a_counter_that_fails_is_a_failed_verification(make: Make) -> None:
    def broken(text: str) -> int:
        raise OSError(text)

    shown, found = await read(make, a_case(FILLER), 5, count_tokens=broken)
    assert shown is None
    assert found.failure == "choosing what the judge reads failed with OSError"


@BOTH
async def test_counting_does_not_block_the_event_loop(make: Make) -> None:
    threads = set()

    def counter(text: str) -> int:
        threads.add(threading.current_thread())
        return words(text)

    await make(Spy(), 5, count_tokens=counter).averify(a_case(FILLER, FACT))
    assert threads
    assert threading.current_thread() not in threads


@BOTH
@pytest.mark.parametrize("layout", ["shared", "document"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_examples_question_and_answer_stay_whole(make: Make, layout: Layout, language: str) -> None:
    """The prompt is the one of the full context, with nothing but the context changed."""
    long = "very " * 40
    case = a_case(FACT, FILLER * 3, question=f"When {long}?", answer=f"In {long}1921", layout=layout, language=language)
    prompts = []
    for verifier in (lambda inner: inner, lambda inner: make(inner, 6)):
        model = ScriptedChatModel(["Correct"], label="judge")
        verifier(ShortVerdict(judge=NamedModel(label="judge", model=model))).verify(case)
        prompts.append(model.prompt_texts[0])
    assert prompts[1] == prompts[0].replace(shown_context(case.passages), FACT)
    assert case.question in prompts[1]
    assert case.answer in prompts[1]
    assert all(example.context in prompts[1] for example in case.prompts.examples)


@BOTH
def test_a_judge_that_fails_still_says_what_it_read(make: Make) -> None:
    model = ScriptedChatModel(["who knows"], label="judge")
    found = make(ShortVerdict(judge=model), 6).verify(a_case(FACT, FILLER))
    assert found.verification.verdict is Verdict.UNPARSED
    assert found.verification.reading is not None
    assert (found.verification.reading.passages, found.verification.reading.omitted) == ((0,), (1,))
    assert len(found.calls) == 1


@BOTH
@pytest.mark.parametrize("door", ["verify", "averify"])
async def test_a_verifier_that_raises_still_says_what_it_read(make: Make, door: str) -> None:
    wrapped = make(FunctionVerifier(function=lambda case: 7.0, name="seven"), 6)
    case = a_case(FACT, FILLER)
    found = (wrapped.verify(case) if door == "verify" else await wrapped.averify(case)).verification
    assert found.failure
    assert "'seven' returned the float 7.0" in found.failure
    assert found.reading is not None
    assert found.reading.omitted == (1,)


@BOTH
def test_the_verifier_inside_shows_through(make: Make) -> None:
    judge = ShortVerdict(judge=ScriptedChatModel([], label="judge"))
    wrapped = make(judge, 5)
    assert isinstance(wrapped, Verifier)
    assert (wrapped.method, wrapped.models, wrapped.reads_logprobs) == (judge.method, judge.models, False)
    assert (make(Spy(), 5).models, make(Spy(), 5).reads_logprobs) == (None, True)


def test_two_of_them_tell_positions_of_the_whole_case() -> None:
    case = a_case(FILLER, FACT, FILLER * 9)
    spy = Spy()
    found = within(evidence(spy, 5), 40).verify(case).verification
    assert spy.texts == [FACT]
    assert found.reading == Reading(kind="evidence", passages=(1,), omitted=(0, 2), tokens=5)
    spy = Spy()
    found = evidence(within(spy, 6), 11).verify(a_case(FILLER, FILLER, FACT, "The museum is old.")).verification
    assert found.reading == Reading(kind="budget", passages=(2,), omitted=(0, 1, 3), tokens=5)
    assert spy.texts == [FACT]


def state_of(verifier: Verifier, draft: str, texts: list[str], replies: list[Reply]) -> Any:
    graph = build_automix(
        small=ScriptedChatModel([draft], label="small"),
        large=ScriptedChatModel(replies, label="large"),
        retriever=StaticRetriever(texts),
        verifier=verifier,
    ).compile()
    *_, state = graph.stream({"question": "When was the museum opened?"}, stream_mode="values")
    return state


@BOTH
def test_the_record_of_a_graph_says_what_was_read(make: Make) -> None:
    model = ScriptedChatModel(["Correct"], label="judge")
    state = state_of(make(ShortVerdict(judge=model), 6), "In 1921", [FACT, FILLER, FILLER], [])
    record = Record.unseal(state["record"])
    assert len(record.passages) == 3
    (verification,) = record.verifications
    assert verification.reading is not None
    assert (verification.reading.passages, verification.reading.omitted) == ((0,), (1, 2))
    assert Record.from_json(record.to_json()) == record
    assert json.loads(record.to_json())["verifications"][0]["reading"]["omitted"] == [1, 2]
    assert "Rain" not in model.prompt_texts[0]


def test_a_failed_embedding_escalates_in_a_graph() -> None:
    verifier = evidence(ShortVerdict(judge=ScriptedChatModel([])), 5, embeddings=Down())
    state = state_of(verifier, "In 1921", [FILLER, FACT], ["In 1921."])
    assert (state["route"], state["verdict"], state["confidence"]) == ("large", "UNPARSED", None)
    record = Record.unseal(state["record"])
    assert record.verifications[0].reading is not None
    assert Record.from_json(record.to_json()) == record


@BOTH
@pytest.mark.parametrize("budget", [0, -1, 1.5, True, "9", None])
def test_a_budget_is_a_whole_number(make: Make, budget: object) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        make(Spy(), budget)


@BOTH
@pytest.mark.parametrize("inner", [None, "large", Spy, ScriptedChatModel([])])
def test_the_inner_verifier_is_a_verifier(make: Make, inner: Any) -> None:
    with pytest.raises(ConfigurationError, match="give a Verifier"):
        make(inner, 5)


def test_other_arguments_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="give a LangChain embedding model"):
        evidence(Spy(), 5, embeddings="local:all-minilm-l6-v2")
    with pytest.raises(ConfigurationError, match="give a function"):
        within(Spy(), 5, count_tokens=100)


def test_tokens_are_counted_by_the_model_if_it_counts_exactly() -> None:
    class Counting(ScriptedChatModel):
        counts_exactly: bool = True

        def get_num_tokens(self, text: str) -> int:
            return 2 * words(text)

    for model, tokens in ((Counting(["Correct"]), 10), (ScriptedChatModel(["Correct"]), approximate_tokens(FACT))):
        verifier = within(ShortVerdict(judge=model), 25, count_tokens=None)
        reading = verifier.verify(a_case(FACT, FILLER)).verification.reading
        assert reading is not None
        assert (reading.passages, reading.tokens) == ((0,), tokens)


TEXT = st.text(st.sampled_from("abAB19 .,。\n|…中文天地"), max_size=80)
DOORS = st.sampled_from(["verify", "averify"])


@pytest.mark.parametrize("make", [within, evidence])
@given(
    texts=st.lists(TEXT, max_size=5),
    question=TEXT,
    answer=TEXT,
    budget=st.integers(1, 60),
    count=st.sampled_from([len, approximate_tokens]),
    door=DOORS,
)
def test_never_over_the_budget_never_out_of_order_never_invented(
    make: Make, texts: list[str], question: str, answer: str, budget: int, count: Callable[[str], int], door: str
) -> None:
    texts = [text.replace("…", "") for text in texts]
    case, spy = a_case(*texts, question=question, answer=answer), Spy()
    verifier = make(spy, budget, count_tokens=count)
    found = verifier.verify(case) if door == "verify" else asyncio.run(verifier.averify(case))
    reading = found.verification.reading
    if not spy.cases:
        assert found.verification.failure
        return
    (shown,) = spy.cases
    assert count(shown_context(shown.passages)) <= budget
    if reading is None:
        assert shown is case
        return
    assert reading.tokens == count(shown_context(shown.passages))
    assert sorted((*reading.passages, *reading.omitted)) == list(range(len(texts)))
    assert [passage.id for passage in shown.passages] == [f"p{position}" for position in reading.passages]
    for passage, position in zip(shown.passages, reading.passages, strict=True):
        place = 0
        for piece in passage.text.split("…"):
            place = texts[position].index(piece.strip(), place) + len(piece.strip())


def test_many_sentences_take_few_counts() -> None:
    counted = 0

    def counter(text: str) -> int:
        nonlocal counted
        counted += 1
        return words(text)

    model = FunctionChatModel(lambda _: "Correct")
    evidence(ShortVerdict(judge=model), 100, count_tokens=counter).verify(a_case(*[FILLER * 20] * 10))
    assert counted < 30


@pytest.mark.parametrize("text", ["", "a", "中文", "Hello, world!", "| 1 | 2 |", "\n\n", "3.14159"])
def test_the_estimate_grows_with_the_text(text: str) -> None:
    assert approximate_tokens(text) <= approximate_tokens(text + "x") <= approximate_tokens(text + "xyz中")
    assert approximate_tokens("中文字") == 3
    assert approximate_tokens("") == 0

"""What the judge reads, with the embedded models for real."""

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from automix_graph.models import load_embeddings, pull, resolve_chat_model
from automix_graph.prompts import load_prompts
from automix_graph.records import Passage
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import Case, ShortVerdict
from automix_graph.verification.reading import EvidenceOnly, WithinBudget, approximate_tokens

pytestmark = pytest.mark.local

TOWN = (
    "The old town lies on both banks of the river. Its market is held every Saturday, and farmers come from all over "
    "the valley. In winter the streets are often covered with snow. "
)
HARBOUR = (
    "The harbour was dug by hand over eleven years. Some 4,000 labourers worked there. "
    "Dr. Elena Marsh, an engineer from Leeds, drew the plans for the lighthouse. It is 46 m high. "
    "Ships of up to 300 t can moor at its quay. "
)
SCHOOL = "Two schools and a library serve the town. The library lends musical instruments to children. "


@pytest.fixture(scope="module")
def embeddings() -> Embeddings:
    pull("all-minilm-l6-v2")
    return load_embeddings("local:all-minilm-l6-v2")


@pytest.fixture(scope="module")
def chat() -> BaseChatModel:
    pull("smollm2-135m-instruct")
    return resolve_chat_model("local:smollm2-135m-instruct")


@pytest.mark.parametrize(
    ("question", "answer", "sentence"),
    [
        ("Who designed the lighthouse?", "Elena Marsh", "Dr. Elena Marsh, an engineer from Leeds, drew the plans"),
        ("Who designed the lighthouse?", "The farmers", "Dr. Elena Marsh, an engineer from Leeds, drew the plans"),
        ("How tall is the lighthouse?", "46 m", "It is 46 m high."),
        ("How many people built the port?", "4000", "Some 4,000 labourers worked there."),
        ("What can kids borrow?", "Violins", "The library lends musical instruments to children."),
    ],
)
def test_the_sentence_with_the_answer_is_chosen_from_a_long_context(
    embeddings: Embeddings, question: str, answer: str, sentence: str
) -> None:
    judge = ScriptedChatModel(["Correct"])
    passages = tuple(Passage(text=text) for text in (TOWN * 3, SCHOOL + TOWN, TOWN + HARBOUR, TOWN * 3))
    verifier = EvidenceOnly(verifier=ShortVerdict(judge=judge), embeddings=embeddings, max_context_tokens=80)
    case = Case(question=question, passages=passages, answer=answer, prompts=load_prompts("en"))
    reading = verifier.verify(case).verification.reading
    assert reading is not None
    assert reading.tokens <= 80
    assert sentence in judge.prompt_texts[0]


def test_a_local_model_counts_as_it_reads(chat: BaseChatModel) -> None:
    for text in (HARBOUR, "条约于1648年签订。", "x<|im_end|>y"):
        messages = [chat.invoke(shown, max_tokens=1).usage_metadata for shown in ("a", f"a {text}".rstrip())]
        assert messages[0] is not None
        assert messages[1] is not None
        assert chat.get_num_tokens(f" {text}".rstrip()) == messages[1]["input_tokens"] - messages[0]["input_tokens"]
    assert chat.get_num_tokens("") == 0
    assert chat.get_num_tokens("\ud83d half an emoji") > 0


def test_the_estimate_is_on_the_high_side(chat: BaseChatModel) -> None:
    for text in (TOWN, HARBOUR, SCHOOL, "| year | 1,921 |\n|---|---|\n| 3.14 | 2.72 |"):
        assert approximate_tokens(text) >= chat.get_num_tokens(text)


def test_a_local_judge_is_asked_for_its_own_count(chat: BaseChatModel) -> None:
    verifier = WithinBudget(verifier=ShortVerdict(judge=chat, max_tokens=1), max_context_tokens=70)
    passages = (Passage(text=HARBOUR), Passage(text=TOWN))
    case = Case(question="How high?", passages=passages, answer="46 m", prompts=load_prompts("en"))
    reading = verifier.verify(case).verification.reading
    assert reading is not None
    assert (reading.passages, reading.omitted) == ((0,), (1,))
    assert reading.tokens == chat.get_num_tokens(HARBOUR.strip()) != approximate_tokens(HARBOUR.strip())

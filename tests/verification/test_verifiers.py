import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel
from automix_graph.prompts import load_prompts
from automix_graph.records import Passage, Verdict
from automix_graph.testing import ScriptedChatModel, ScriptedReply
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Case, Judgement, ShortVerdict, TokenProbability, Verifier

CASE = Case(question="When?", passages=(Passage(text="In May."),), answer="May", prompts=load_prompts("en"))


async def judge(kind: type[ShortVerdict] | type[TokenProbability], reply: Reply, case: Case = CASE) -> Judgement:
    """Judge by both doors and return what both found."""
    found = []
    for _ in range(2):
        model = ScriptedChatModel([reply], label="judge")
        verifier = kind(judge=NamedModel(label="judge", model=model))
        assert isinstance(verifier, Verifier)
        found.append(await verifier.averify(case) if found else verifier.verify(case))
    assert found[0].verification == found[1].verification
    return found[0]


def tokens(**probabilities: float) -> ScriptedReply:
    return ScriptedReply(text="x", token_probabilities=tuple(probabilities.items()))


@pytest.mark.parametrize(
    ("text", "verdict", "confidence"),
    [("Correct", Verdict.CORRECT, 1.0), ("The AI generated answer is Incorrect.", Verdict.INCORRECT, 0.0)],
)
async def test_a_short_verdict_is_read(text: str, verdict: Verdict, confidence: float) -> None:
    found = await judge(ShortVerdict, text)
    assert (found.verification.verdict, found.verification.confidence) == (verdict, confidence)
    assert found.calls[0].usage.output_tokens == len(text.split())


@pytest.mark.parametrize("kind", [ShortVerdict, TokenProbability])
@pytest.mark.parametrize("reply", ["maybe", TimeoutError("slow")])
async def test_no_judgement_is_a_failure_not_a_number(
    kind: type[ShortVerdict] | type[TokenProbability], reply: Reply
) -> None:
    found = await judge(kind, reply)
    assert found.verification.confidence is None
    assert found.verification.verdict is Verdict.UNPARSED
    assert found.verification.failure
    assert len(found.calls) == 1


async def test_confidence_is_the_share_of_the_deciding_words() -> None:
    reply = ScriptedReply(
        text=" Correct",
        token_probabilities=((" Correct", 0.5), ("correct", 0.1), (" Inc", 0.1), (" Incorrect", 0.1), (" a", 0.2)),
    )
    found = (await judge(TokenProbability, reply)).verification
    assert found.confidence == pytest.approx(0.6 / 0.8)
    assert found.verdict is Verdict.CORRECT


async def test_confidence_in_chinese() -> None:
    case = Case(question="何时？", passages=(Passage(text="五月。"),), answer="五月", prompts=load_prompts("zh"))
    found = (await judge(TokenProbability, tokens(正确=0.2, 错误=0.5, 不正确=0.1), case)).verification
    assert found.confidence == pytest.approx(0.25)
    assert found.verdict is Verdict.INCORRECT


async def test_a_model_that_was_not_about_to_decide_did_not_decide() -> None:
    found = (await judge(TokenProbability, tokens(Hello=0.99, Correct=0.001))).verification
    assert found.failure == "the words of a decision are not among the likely next tokens"


@pytest.mark.parametrize(
    ("language", "contrary"),
    [
        ("en", "not"),
        ("en", "wrong"),
        ("en", "Partially"),
        ("en", "INCORRECT"),
        ("zh", "不"),
        ("zh", "错"),
        ("zh", "部分"),
    ],
)
async def test_every_way_to_reject_counts(language: str, contrary: str) -> None:
    case = Case(question="q", passages=(), answer="a", prompts=load_prompts(language))
    word = "Correct" if language == "en" else "正确"
    found = (await judge(TokenProbability, tokens(**{contrary: 0.9, word: 0.06}), case)).verification
    assert found.confidence == pytest.approx(0.0625)


@pytest.mark.parametrize(
    ("language", "token", "confidence"), [("zh", "正确的", 1.0), ("zh", "错误的", 0.0), ("en", " Correct.", 1.0)]
)
async def test_a_token_may_be_longer_than_the_word(language: str, token: str, confidence: float) -> None:
    case = Case(question="q", passages=(), answer="a", prompts=load_prompts(language))
    found = (await judge(TokenProbability, tokens(**{token: 0.9}), case)).verification
    assert found.confidence == pytest.approx(confidence)


async def test_another_word_is_not_the_word() -> None:
    found = (await judge(TokenProbability, tokens(correctly=0.9))).verification
    assert found.failure


@pytest.mark.parametrize("kind", [ShortVerdict, TokenProbability])
def test_a_judge_is_a_model_or_the_name_of_one(kind: type[ShortVerdict] | type[TokenProbability]) -> None:
    assert kind(judge=ScriptedChatModel([], label="j")).model.label == "j"
    with pytest.raises(ConfigurationError, match="no-such-model"):
        kind(judge="local:no-such-model")


async def test_a_letter_that_begins_both_words_counts_for_neither() -> None:
    found = (await judge(TokenProbability, tokens(Correct=0.3, C=0.4, Incorrect=0.3))).verification
    assert found.confidence == pytest.approx(0.5)
    assert found.verdict is Verdict.INCORRECT


def test_the_judge_reads_the_case_and_opens_its_decision() -> None:
    model = ScriptedChatModel([tokens(Correct=1.0)], label="judge")
    TokenProbability(judge=NamedModel(label="judge", model=model), opened=True).verify(CASE)
    _, prompt, opening = model.prompts[0]
    assert "Context: In May." in prompt.text
    assert opening.text == "The AI generated answer is"


def test_the_length_of_a_short_verdict_can_be_capped() -> None:
    seen: list[object] = []

    class Capped(ScriptedChatModel):
        def _generate(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            seen.append(kwargs.get("max_tokens"))
            return super()._generate(*args, **kwargs)  # type: ignore[arg-type]

    for cap in (None, 8):
        ShortVerdict(judge=NamedModel(label="j", model=Capped(["Correct"])), max_tokens=cap).verify(CASE)
    assert seen == [None, 8]


@pytest.mark.parametrize(("threshold", "verdict"), [(0.5, Verdict.INCORRECT), (0.3, Verdict.CORRECT)])
def test_the_verdict_follows_the_threshold_of_the_judge(threshold: float, verdict: Verdict) -> None:
    model = ScriptedChatModel([tokens(Correct=0.4, Incorrect=0.6)], label="judge")
    verifier = TokenProbability(judge=NamedModel(label="judge", model=model), threshold=threshold)
    found = verifier.verify(CASE).verification
    assert (found.verdict, found.confidence) == (verdict, pytest.approx(0.4))


def test_a_threshold_is_a_confidence() -> None:
    with pytest.raises(ConfigurationError, match=r"\[0, 1\]"):
        TokenProbability(judge=NamedModel(label="judge", model=ScriptedChatModel([])), threshold=1.5)

"""Verdicts in words, short and reasoned: how they are asked for, how long they may be, and what is read off them."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from langchain_core.outputs import ChatResult
from langchain_core.prompts import ChatPromptTemplate, FewShotChatMessagePromptTemplate
from pydantic import Field

from automix_graph.errors import ConfigurationError
from automix_graph.prompts import Form, Layout, load_prompts, load_template
from automix_graph.records import Passage, Verdict
from automix_graph.testing import ScriptedChatModel, ScriptedReply
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Case, Judgement, ShortVerdict
from automix_graph.verification.prompting import VerifyPrompt, chat_template, judge_messages
from automix_graph.verification.reasoned import ReasonedVerdict
from automix_graph.verification.written import MaxTokens

SEED = Path(__file__).parents[2].parent / "shared" / "seed.md"
CASE = Case(question="When?", passages=(Passage(text="In May."),), answer="May", prompts=load_prompts("en"))
REASONED = "The context names May. Verification Decision: The AI generated answer is Correct."

Kind = type[ShortVerdict] | type[ReasonedVerdict]
both_kinds = pytest.mark.parametrize("kind", [ShortVerdict, ReasonedVerdict])


class Recording(ScriptedChatModel):
    """Remembers the caps that it was called with."""

    caps: list[Any] = Field(default_factory=list)

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        self.caps.append(kwargs.get("max_tokens"))
        return super()._generate(*args, **kwargs)


class Reasoning(Recording):
    """A model of which LangChain knows that it reasons before it writes."""

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self.profile = {"reasoning_output": True}


class OtherName(Recording):
    """A model of a provider that calls the cap otherwise."""

    num_predict: int | None = None


def asked(prompt: VerifyPrompt | None, case: Case = CASE) -> str:
    model = ScriptedChatModel(["Correct"])
    ReasonedVerdict(judge=model, prompt=prompt).verify(case)
    return model.prompt_texts[0]


async def judge(kind: Kind, reply: Reply, **arguments: Any) -> Judgement:
    """Judge by both doors and return what both found."""
    found = kind(judge=ScriptedChatModel([reply]), **arguments).verify(CASE)
    assert (await kind(judge=ScriptedChatModel([reply]), **arguments).averify(CASE)).verification == found.verification
    return found


@pytest.mark.parametrize(
    ("text", "verdict", "confidence"),
    [
        (REASONED, Verdict.CORRECT, 1.0),
        (REASONED.replace("Correct", "Incorrect"), Verdict.INCORRECT, 0.0),
        ("The answer looks correct at first, but the context says June.\n\nIncorrect", Verdict.INCORRECT, 0.0),
    ],
)
async def test_the_decision_after_the_reason_is_read(text: str, verdict: Verdict, confidence: float) -> None:
    found = await judge(ReasonedVerdict, text)
    assert (found.verification.verdict, found.verification.confidence) == (verdict, confidence)
    assert found.verification.method == "reasoned-verdict"
    assert len(found.calls) == 1


@both_kinds
@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("The context names May.", "holds no decision"),
        (TimeoutError("secret"), "the judge failed: TimeoutError"),
        (ScriptedReply(text="Correct", finish_reason="content_filter"), "content filter"),
    ],
)
async def test_no_judgement_is_a_failure_not_a_number(kind: Kind, reply: Reply, failure: str) -> None:
    found = (await judge(kind, reply)).verification
    assert (found.verdict, found.confidence) == (Verdict.UNPARSED, None)
    assert failure in (found.failure or "")
    assert "secret" not in (found.failure or "")


@pytest.mark.parametrize(
    ("kind", "max_tokens", "cap"), [(ShortVerdict, "auto", 16), (ReasonedVerdict, "auto", 512), (ReasonedVerdict, 7, 7)]
)
async def test_a_reply_that_reaches_the_cap_is_no_judgement(kind: Kind, max_tokens: MaxTokens, cap: int) -> None:
    reply = ScriptedReply(text="Correct", finish_reason="length")
    found = (await judge(kind, reply, max_tokens=max_tokens)).verification
    assert found.confidence is None
    assert found.failure == (
        f"the judge's reply was cut off: it reached the cap of max_tokens={cap}; a judge that reasons before it writes "
        "needs max_tokens=None"
    )


async def test_a_reply_cut_off_without_a_cap_does_not_blame_it() -> None:
    found = await judge(ReasonedVerdict, ScriptedReply(text="Correct", finish_reason="length"), max_tokens=None)
    assert "cut off" in (found.verification.failure or "")
    assert "max_tokens" not in (found.verification.failure or "")


@pytest.mark.parametrize(
    ("kind", "model", "max_tokens", "sent"),
    [
        (ShortVerdict, Recording, "auto", 16),
        (ReasonedVerdict, Recording, "auto", 512),
        (ShortVerdict, Reasoning, "auto", None),
        (ReasonedVerdict, Reasoning, "auto", None),
        (ShortVerdict, OtherName, "auto", None),
        (ShortVerdict, Recording, None, None),
        (ShortVerdict, Reasoning, 9, 9),
        (ReasonedVerdict, OtherName, 9, 9),
    ],
)
def test_what_is_sent_as_the_cap(kind: Kind, model: type[Recording], max_tokens: MaxTokens, sent: int | None) -> None:
    scripted = model(["Correct"])
    kind(judge=scripted, max_tokens=max_tokens).verify(CASE)
    assert scripted.caps == [sent]


@both_kinds
@pytest.mark.parametrize("max_tokens", [0, -1, "none", 2.5, True])
def test_what_is_no_cap(kind: Kind, max_tokens: Any) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(repr(max_tokens))):
        kind(judge=ScriptedChatModel([]), max_tokens=max_tokens)


@both_kinds
def test_each_form_ends_its_prompt_in_its_own_way(kind: Kind) -> None:
    model = ScriptedChatModel(["Correct"])
    kind(judge=model).verify(CASE)
    form = {ShortVerdict: "short", ReasonedVerdict: "reasoned"}[kind]
    assert model.prompt_texts[0].endswith(f"\n\n{CASE.prompts.words.endings['shared'][form]}")


@pytest.mark.skipif(not SEED.is_file(), reason="the document with the original prompt is not at hand")
def test_the_original_prompt_renders_byte_for_byte(tmp_path: Path) -> None:
    block = re.search(r'```\n"""(.*?)"""\n```', SEED.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    file = tmp_path / "verify.txt"
    file.write_bytes(block[1].encode())
    expected = block[1]
    for name, value in (("context", "In May."), ("question", "When?"), ("generated_answer", "May")):
        expected = expected.replace(f"{{{name}}}", value)
    assert asked(load_template(file)).encode() == expected.encode()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{context} {question}", "missing: {generated_answer}; unknown: none"),
        ("{context} {question} {generated_answer} {answer}", "missing: none; unknown: {answer}"),
        ("{Context} {question} {generated_answer}", "missing: {context}; unknown: {Context}"),
    ],
)
def test_placeholders_that_do_not_fit_are_named(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "verify.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(complaint)):
        load_template(file)
    with pytest.raises(ConfigurationError, match=re.escape(complaint)):
        ReasonedVerdict(judge=ScriptedChatModel([]), prompt=ChatPromptTemplate.from_messages([("user", text)]))


def test_what_is_no_prompt() -> None:
    with pytest.raises(ConfigurationError, match="prompt is a str"):
        ReasonedVerdict(judge=ScriptedChatModel([]), prompt="Judge {generated_answer}")  # type: ignore[arg-type]


CHAT = ChatPromptTemplate.from_messages(
    [("system", "Judge."), ("user", "C: {context}\nQ: {question}\nA: {generated_answer}")]
)


def test_a_chat_template_is_a_prompt() -> None:
    assert asked(CHAT) == "Judge.\n\nC: In May.\nQ: When?\nA: May"


def test_a_chat_template_may_hold_examples() -> None:
    examples = FewShotChatMessagePromptTemplate(
        input_variables=[],
        example_prompt=ChatPromptTemplate.from_messages([("user", "{said}"), ("assistant", "{verdict}")]),
        examples=[{"said": "a brace: {", "verdict": "Correct"}, {"said": "{context}", "verdict": "Incorrect"}],
    )
    system, last = CHAT.messages
    prompt = ChatPromptTemplate.from_messages([system, examples, last])
    said = "Judge.\n\na brace: {\n\nCorrect\n\n{context}\n\nIncorrect\n\nC: In May.\nQ: When?\nA: May"
    assert asked(prompt) == said


@pytest.mark.parametrize("prompt", [None, CHAT, "template"])
def test_braces_in_a_case_are_inert(prompt: Any, tmp_path: Path) -> None:
    if prompt == "template":
        file = tmp_path / "verify.txt"
        file.write_text("C: {context}\nQ: {question}\nA: {generated_answer}", encoding="utf-8")
        prompt = load_template(file)
    case = Case(
        question="{context}?",
        passages=(Passage(text="{question} {generated_answer} {x!r} }{ {{}} {0}"),),
        answer="{question:>9} {",
        prompts=CASE.prompts,
    )
    text = asked(prompt, case)
    for value in (case.question, case.passages[0].text, case.answer):
        assert value in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("layout", get_args(Layout))
@pytest.mark.parametrize("form", get_args(Form))
def test_a_built_in_prompt_as_a_template_says_the_same(language: str, layout: Layout, form: Form) -> None:
    case = Case(
        question="{When}?",
        passages=(Passage(text="In {May}."), Passage(text="Line 1\nLine 2")),
        answer="May\n{}",
        prompts=load_prompts(language, layout),
    )
    template = chat_template(case.prompts, form=form)
    assert judge_messages(template, case, form) == judge_messages(None, case, form)

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.records import Verdict
from automix_graph.verdicts import parse_verdict

CORRECT = [
    "Correct",
    "correct.",
    "CORRECT",
    "**Correct**",
    "`Correct`",
    '"Correct"',
    "(Correct)",
    "【正确】",
    "Correct!",
    "Ｃｏｒｒｅｃｔ．",
    "- Correct",
    "Correct -",
    "1. Correct",
    "✅ Correct",
    "<b>Correct</b>",
    '{"verdict": "Correct"}',
    "cor\u200brect",
    "The AI generated answer is Correct",
    "The AI generated answer is **Correct**.",
    "The AI-generated answer is: **Correct**",
    "The AI generated answer, Shakespeare, is Correct.",
    "The generated answer 'April' is correct since the context says April",
    'The answer "April" is correct.',
    "Verification Decision: Correct",
    "**Verification Decision:** The AI generated answer is **Correct**.",
    "Verification Decision - Correct",
    "The context names him. Verification Decision: The AI generated answer is Correct.",
    "Correct because the context says so",
    "Correct\n\nThe context says so.",
    "Correct (100%)",
    "This is the correct answer.",
    "I judge the answer to be correct.",
    "Therefore, the answer is correct.",
    "No issues found. The answer is correct.",
    "The answer is Correct, not Incorrect.",
    "Incorrect... wait, no. The AI generated answer is Correct.",
    "Is the answer correct? Yes.",
    "Yes",
    "YES",
    "**Yes**",
    "Yes, the answer matches the context.",
    "Final answer: Yes",
    "正确",
    "正確",
    "正确。",
    "答案正确",
    "AI生成的答案是正确的。",
    "AI 生成的答案：正确",
    "验证结论：AI 生成的答案是正确的。",
    "没有错误，答案正确。",
    "Correct，因为上下文提到了。",
    "这个回答是对的",
    "是",
    "是的",
    "判断：是",
    "回答是否正确：是",
    "是，答案与上下文一致。",
]
INCORRECT = [
    "Incorrect",
    "Ｉｎｃｏｒｒｅｃｔ",
    "**Incorrect**",
    "In-correct",
    "— Incorrect —",
    "A) Incorrect",
    "Not correct",
    "not-correct",
    "The answer is not correct.",
    "The answer isn’t correct",
    "That's not correct.",
    "The answer is partially correct.",
    "does not appear to be correct",
    "neither correct nor complete",
    "The AI generated answer is Incorrect.",
    "The answer is correctly flagged as Incorrect.",
    "The AI generated answer is correctly flagged by the evaluator as Incorrect",
    "The answer is correct. On reflection, the answer is incorrect.",
    "Is the AI generated answer correct or incorrect? Incorrect",
    "Incorrect. The correct answer is: Yes.",
    "The name is wrong although the year is correct.",
    "The context does not say so, so the AI generated answer is Incorrect",
    "The answer is not supported. Incorrect. Correct answer: April",
    "The answer should be marked as incorrect.",
    "No",
    "No.",
    "No, the context says April.",
    "Answer: No",
    "错误",
    "錯誤",
    "不正确",
    "该答案不正确。",
    "并不正确",
    "不完全正确",
    "不正确。正确的是四月。",
    "AI 生成的答案是错误的。",
    "综上，AI生成的答案是【错误】的",
    "错误，正确答案是七月。",
    "正确的答案是四月，所以回答错误。",
    "答案不是正确的",
    "答案有误",
    "回答不对",
    "否",
    "否，因为上下文没有提到。",
    "判断：否",
    "因此，否。",
    "不是",
    "答案是否正确？否",
]
UNPARSED = [
    "",
    "   \n",
    "I do not know",
    "The AI generated answer is",
    "correctly",
    "Correctness: high",
    "The answer correctly identifies Shakespeare.",
    "The correct answer is Paris.",
    "The correct answer is: Yes",
    "Choose between Correct or Incorrect.",
    "Correct/Incorrect",
    "Yes/No",
    "Your task is to evaluate if the AI Generated Answer is correct",
    "I cannot determine whether the answer is correct.",
    "I am not sure the answer is correct",
    "The answer would be correct if the year were 1980.",
    "Is the answer correct?",
    "The year is correct.",
    "The answer is not incorrect.",
    "是否正确",
    "请判断答案是否正确。",
    "答案正确吗？",
    "正确或错误",
    "正确/错误",
    "判断对错",
    "正确答案是七月。",
    "如果答案正确",
    "这句话是他说的",
    "答案无错误",
]


@pytest.mark.parametrize("text", CORRECT)
def test_an_explicit_correct_is_read(text: str) -> None:
    assert parse_verdict(text) is Verdict.CORRECT


@pytest.mark.parametrize("text", INCORRECT)
def test_an_explicit_incorrect_is_read(text: str) -> None:
    assert parse_verdict(text) is Verdict.INCORRECT


@pytest.mark.parametrize("text", UNPARSED)
def test_what_decides_nothing_is_unparsed(text: str) -> None:
    assert parse_verdict(text) is Verdict.UNPARSED


@given(reason=st.text(max_size=200), word=st.sampled_from(["Correct", "Incorrect"]))
def test_a_last_line_decides_whatever_the_reason_says(reason: str, word: str) -> None:
    verdict = parse_verdict(f"{reason}\nVerification Decision: The AI generated answer is {word}.")
    assert verdict.value == word.upper()


@given(st.text())
def test_any_text_has_one_of_three_verdicts(text: str) -> None:
    assert parse_verdict(text) in set(Verdict)


@pytest.mark.parametrize(
    "text", ["correct " * 200_000, "the answer is " * 100_000, "答案是" * 100_000, "x" * 2_000_000]
)
def test_work_is_bounded_for_long_replies(text: str) -> None:
    start = time.process_time()
    parse_verdict(text)
    assert time.process_time() - start < 2

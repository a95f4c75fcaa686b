"""Fuzz the verdict parser: whatever a judge writes, only its own words that call the answer correct accept it.

The laws below do not repeat the parser's grammar. They put any text where it is no decision of the judge (in its
thoughts, in quotation marks, in a fence, behind marks of a quoted line, before a refusal), where it must not count.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import guided

with guided.covering("automix_graph.verdicts", run=__name__ == "__main__"):
    from automix_graph.records import Verdict
    from automix_graph.verdicts import parse_verdict

REFUSALS: Final = (
    "Verification Decision: The AI generated answer is Incorrect.",
    "验证结论：AI 生成的答案是错误的。",
)
NOTHING: Final = ("I do not know.", "我不知道。")
ALSO: Final = {"Richtig": Verdict.CORRECT, "Falsch": Verdict.INCORRECT}
"""Whole decisions of another language."""
DECISIONS: Final = ("correct", "yes", "right", "true", "正确", "正確", "对", "對", "是", "无误", "無误")
"""Of which one is in every reply that accepts an answer."""
MARKS: Final = (('"', '"'), ("“", "”"), ("«", "»"), ("「", "」"), ("『", "』"))
_LIMIT: Final = 15_000
"""Characters; of longer replies the parser reads the end alone, which other tests are about."""
_NO_QUOTES: Final = str.maketrans(dict.fromkeys("\"'`~“”„«»「」『』《》‘’＂＇｀～ﾞ｢｣", " "))


def check(data: bytes) -> None:
    """Check the laws on one text; bytes that are no UTF-8 become lone surrogates."""
    text = data.decode("utf-8", "surrogateescape")[:_LIMIT]
    found = parse_verdict(text)
    if found is Verdict.CORRECT:
        assert any(word in letters(text) for word in DECISIONS), "accepted without a decision"
    known = parse_verdict(text, ALSO)
    assert known is found or found is Verdict.UNPARSED, "another language overrules a decision"
    if known is not found:
        assert ("richtig" if known is Verdict.CORRECT else "falsch") in letters(text), "decided in no language"
    assert parse_verdict(f" \n{text}\t\n ") is found, "blanks around the reply change it"
    assert parse_verdict("\r\n".join(text.splitlines())) is found, "line ends change it"
    check_other_words(text)


def check_other_words(text: str) -> None:
    """Check that a text decides nothing where it is not what the judge says in the end."""
    for refusal in REFUSALS:
        never_accepts(f"{text}\n{refusal}", "the last line refuses")
    for nothing in NOTHING:
        assert parse_verdict(f"<think>{text}</think>\n{nothing}") is Verdict.UNPARSED, "thoughts decide"
        never_accepts(f"<think>{text.replace('<', ' ')}", "an open thought decides")
        plain = text.translate(_NO_QUOTES)
        never_accepts(f"```\n{plain}\n```\n{nothing}", "a fence decides")
        quoted = "\n".join(f"> {line}" for line in text.splitlines())
        never_accepts(f"{quoted}\n{nothing}", "quoted lines decide")
        for opening, closing in MARKS:
            never_accepts(f"The answer says {opening}{plain}{closing}. {nothing}", "a quotation decides")
            never_accepts(f"上下文写着{opening}{plain}{closing}。{nothing}", "a quotation decides")


def never_accepts(reply: str, why: str) -> None:
    """Fail where a reply accepts the answer."""
    assert parse_verdict(reply) is not Verdict.CORRECT, f"{why}: {reply!r}"


def letters(text: str) -> str:
    """Return the letters of a text, without case and width."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in unicodedata.normalize("NFKC", folded) if character.isalpha())


SEEDS: Final = (
    "Correct",
    "**Verification Decision:** The AI generated answer is **Correct**.",
    "The context says April. Verification Decision: The AI generated answer is Incorrect.",
    "Since the context says April, the answer is correct.",
    'The answer is not wrong; it is correct. {"verdict": "Correct", "reason": "The context says so."}',
    "Is the answer correct? Yes, it matches the context.",
    "<think>maybe incorrect</think>\n\nCorrect, because the passage says so",
    "[x] Correct\n[ ] Incorrect",
    "> The tower was built in 1874.\n\n```text\nCorrect\n```\nNo, it is not.",
    "\\boxed{Correct}\n~~Incorrect~~ <b>wrong</b> <verdict>Correct</verdict>",
    "验证结论：AI 生成的答案是正确的。",
    "答案与上下文一致，因此正确。",
    "综上，AI生成的答案是【错误】的",
    "是，答案与上下文一致。并不正确；有误！",
    "Die Antwort steht im Text.\nEntscheidung: Richtig",
    "The answer says “May.\n\nDecision: Correct”. That is no date.",
)
# fmt: off
WORDS: Final = (
    "Correct", "Incorrect", "not ", "un", "Yes", "No", "The answer ", "The AI generated answer ", "is ",
    "Verification Decision: ", "because ", "since ", "so ", "therefore ", "if ", "but ", "context ", "matches ",
    "supported ", "says ", "it ", "Is the answer correct? ", "</think>", "<think>", "<div>", "</verdict>", "```\n",
    "~~", "> ", "**", "\\boxed{", "[ ]", "[x]", "正确", "错误", "不", "是", "否", "对", "答案", "因此",
    "验证结论：", "上下文", "。", "，",
    "？", "“", "”", "「", "」", "\u200b", "❌", "✅", "\n", ". ", "? ", ": ", "; ", ", ", "100%", "Richtig", "Falsch",
)
# fmt: on

if __name__ == "__main__":
    guided.run("verdicts", check, seeds=[seed.encode() for seed in SEEDS], words=WORDS, description=__doc__ or "")

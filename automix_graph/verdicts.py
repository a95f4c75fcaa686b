"""From a judge's words to a verdict, in English and Chinese.

A verdict is read only from an explicit decision; the last explicit decision wins. The two errors do not weigh the same:
a wrong answer that is accepted reaches the user, a right one that is escalated costs a call. So CORRECT needs a
sentence that says so of the answer (or the bare word where a decision stands), INCORRECT is read more freely, and what
is hedged, conditional, a question or an echo of the instruction is no decision. This module knows no prompt and no
model.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from automix_graph.records import Verdict

_FOLD: Final = str.maketrans(
    dict.fromkeys("“”„«»「」『』《》", '"')
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"【": "[", "】": "]", "確": "确", "錯": "错", "誤": "误", "對": "对"}
)
_MARKUP: Final = re.compile(r"</?\w+[^<>]*>|\\[a-z]+|[*_`~#>|=$^✓✔✗✘]")
_STOP: Final = r".!?。;\n"
"""Characters that end a sentence (after NFKC, which turns full-width punctuation into ASCII)."""

_SENTENCE: Final = re.compile(rf"[^{_STOP}]+")
_TAIL: Final = 20_000
_CLAUSE: Final = 400
"""Characters read from the end of a reply, and back from a decision word: the work stays bounded for any reply."""

_CHOICE: Final = re.compile(
    r"\b(?:in)?correct\s*(?:,|/|\bor\b|\band\b|\bvs\b|、|或者?|还是)\s*(?:in)?correct\b(?!\s+answer)"
    r"|\b(?:yes|no)\s*(?:,|/|\bor\b|或者?|还是)\s*(?:yes|no)\b(?!\s*,)"
    r"|(?:不正确|错误|正确)\s*(?:,|/|、|或者?|还是|和|与)\s*(?:不正确|错误|正确)(?!的?答案|的?是)"
    r"|[是否]\s*(?:/|、|或者?|还是|和|与)\s*[是否]"
)
"""A choice that names both words is an echo of the instruction, not a decision."""

_WORD: Final = re.compile(
    r"\b(?:correct|incorrect|wrong|yes|no)\b|不是|不对|不正确|有误|正确|错误|(?<!对)错|对(?!错)|是(?!否)|(?<!是)否"
)

_NEGATED: Final = re.compile(
    r"(?:\b(?:not|never|neither|nor|hardly|barely|cannot|without|nothing|anything but|far from|no longer|non|less than"
    r"|partially|partly|half|in part)\b|n't\b)[\w\s'-]{0,24}$"
)
_UNDECIDED: Final = re.compile(
    r"\b(?:if|whether|unless|would|could|might|may|unable|unsure|unclear|uncertain|doubt|impossible|be either)\b"
    r"|\b(?:cannot|can not|can't|not possible to|not able to) (?:\w+ )?"
    r"(?:say|tell|know|be sure|verify|confirm|determine|judge|decide|conclude|evaluate|assess)\b"
    r"|\b(?:don't|do not|not) (?:know|sure|clear|certain)\b"
)
_ANSWER_IS: Final = re.compile(
    r"(?:\b(?:answer|response|reply|output|prediction|statement|it|this|that)\b"
    r"(?:\s*[,(\[:\"'].{0,120}?[,)\]\"']|\s+(?:to|for|from|by|of|given|provided|above|generated)\b[^,:]{0,60}?)?"
    r"\s*(?:\b(?:is|was|seems|appears|looks|remains)\b|'s\b)(?: to be)?"
    r"|\b(?:judged?|considered?|deemed?|marked?|rated?|labell?ed|label|verified|confirmed|evaluated|classified|found)"
    r"(?: (?:it|this|that|(?:the )?(?:\w+ ){0,2}answer))?(?: (?:as|to be))?)"
    r"(?: (?:the|a|also|indeed|clearly|therefore|thus|hence|fully|completely|entirely|factually|still|very|likely"
    r"|probably|certainly|definitely|absolutely|technically|essentially|overall)){0,3}[\s:\"'\[({-]*$"
)
_LABEL: Final = re.compile(
    r"^[\s\[\](){}\"',:0-9-]*(?:[a-e]\)\s*)?"
    r"(?:(?:the|my|final|overall|verification|so|therefore|thus|hence|and|ai|generated|decision|verdict|judge?ment"
    r"|evaluation|assessment|conclusion|result|answer|output|is|was"
    r"|最终|验证|结论|判断|判定|决定|决策|评估|评价|结果|因此|所以|综上|故|回答|答案|生成的?|是否正确|为|是)[\s,:\"'-]*)*"
    r"[\s\[({\"':-]*$"
)
_ENDS: Final = re.compile(
    r"[\])}\"']*[ \t]*(?:$|[^\w \t]|(?:because|since|as|based|given|according|per|and|but|for|due|when|with|in|here|by"
    r"|nor|or|although|though|despite|so|while)\b)"
)
_NEXT_IS_ANSWER: Final = re.compile(r"\s+(?:answer|response|one)\b")
_ASKED: Final = re.compile(r"[\])}\s\"']*(?:[吗么?]|与否|or not\b|that\b)")

_ZH_NEGATED: Final = re.compile(r"(?:不|并非|没有?|未必?|非|无|难以?|部分|算不上)[^,]{0,4}$")
_ZH_UNDECIDED: Final = re.compile(
    r"是否|如果|若|假如|要是|无法|不能(?:判断|确定|确认)|不确定|不清楚|难以|可能|也许|是不是"
)
_ZH_ANSWER_IS: Final = re.compile(
    r"(?:答案|回答|回复|答复|它|其|这|结论|判断|判定|认为|视为|评为)[^,的]{0,12}?(?:是|为|完全|基本|非常)*[\s\"']*$"
)
_ZH_ENDS: Final = re.compile(r"(?:无误)?的?[\])}\s\"']*(?:$|[^\w]|因为|由于|但|而|无误)")


def parse_verdict(text: str) -> Verdict:
    """Read the last explicit decision of a judge's reply.

    Understands Correct/Incorrect, Yes/No, 正确/错误 and 是/否 in any case, with markdown, full-width characters,
    punctuation and hyphens, alone or behind a reason. Negated forms ("not correct", "不正确") are INCORRECT.

    Args:
        text: the reply as the model gave it.

    Returns:
        CORRECT, INCORRECT, or UNPARSED where the reply holds no explicit decision.

    Example:
        >>> parse_verdict("The context names April. Verification Decision: The AI generated answer is **Incorrect**.")
        <Verdict.INCORRECT: 'INCORRECT'>
    """
    plain = _plain(text if len(text) <= _TAIL else "…" + text[-_TAIL:])
    verdict = Verdict.UNPARSED
    for sentence in _SENTENCE.finditer(plain):
        for word in _WORD.finditer(sentence.group()):
            clause = sentence.group()[: word.start()]
            if len(clause) > _CLAUSE:
                clause = "…" + clause[-_CLAUSE:]
            after = plain[sentence.start() + word.end() :][:_CLAUSE]
            verdict = _judge(word.group(), clause, after) or verdict
    return verdict


def _plain(text: str) -> str:
    """Fold away case, width, markup and invisible characters; drop choices that name both words."""
    text = unicodedata.normalize("NFKC", text).translate(_FOLD).casefold()
    text = "".join(character for character in text if unicodedata.category(character) not in {"Cf", "So", "Mn"})
    text = _MARKUP.sub(" ", text)
    text = re.sub(r"\b(?:in|non|un)-\s*correct\b", "incorrect", text)
    return _CHOICE.sub(" ; ", re.sub(r"(?<=\w)-(?=\w)", " ", text))


def _judge(word: str, clause: str, after: str) -> Verdict | None:
    """Classify one decision word by the clause before it and the text after it; None where it decides nothing."""
    if _ASKED.match(after):
        return None
    if word.isascii():
        return _judge_english(word, clause, after)
    return _judge_chinese(word, clause, after)


def _judge_english(word: str, clause: str, after: str) -> Verdict | None:
    ends = _ENDS.match(after) is not None
    bare = ends and _LABEL.match(clause) is not None
    if word in {"yes", "no"}:
        return (Verdict.CORRECT if word == "yes" else Verdict.INCORRECT) if bare else None
    if _UNDECIDED.search(clause):
        return None
    negated = _NEGATED.search(clause) is not None
    if word != "correct":
        return Verdict.INCORRECT if ends and not negated else None
    says = _ANSWER_IS.search(clause) is not None and (ends or _NEXT_IS_ANSWER.match(after) is not None)
    if negated:
        return Verdict.INCORRECT if ends or says else None
    return Verdict.CORRECT if bare or says else None


def _judge_chinese(word: str, clause: str, after: str) -> Verdict | None:
    ends = _ZH_ENDS.match(after) is not None
    bare = ends and _LABEL.match(clause) is not None
    if word in {"是", "否", "不是"}:
        return (Verdict.CORRECT if word == "是" else Verdict.INCORRECT) if bare else None
    if not ends or (_ZH_UNDECIDED.search(clause) and not bare):
        return None
    negated = _ZH_NEGATED.search(clause) is not None
    says = bare or _ZH_ANSWER_IS.search(clause) is not None
    if word in {"正确", "对"}:
        return Verdict.INCORRECT if negated else (Verdict.CORRECT if says else None)
    return Verdict.INCORRECT if not negated and (says or word in {"不正确", "不对", "错误", "有误"}) else None

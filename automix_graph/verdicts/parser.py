"""From a reply to its last explicit decision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple

from automix_graph.records import Verdict
from automix_graph.verdicts.folding import fold, spoken
from automix_graph.verdicts.grammar import (
    ABOUT_ANSWER,
    ALONE,
    ASKS,
    BECAUSE,
    CLAUSE,
    CONTRARY,
    GIVEN,
    NO,
    REFUSED,
    REPORTS,
    RETRACTS,
    STATED_WRONG,
    STRONG,
    SUPPORT,
    TAKES_BACK,
    UNDECIDED,
    WEAK,
    YES,
)
from automix_graph.verdicts.quotations import own_words

_LEADS: Final = 12
"""Clauses tried in a sentence: the work stays bounded for any reply."""
_ITEM: Final = 15
"""Longest sentence that can be an item of a list of choices, in characters."""


_NEXT_CASE: Final = re.compile(r"(?:context|question|上下文|问题) ?:")  # a model that goes on writing examples
_SENTENCE: Final = re.compile(r"((?:[^.!?。;\n]|\.(?=\d))+)([.!?。;\n]*)")


class _Decision(NamedTuple):
    verdict: Verdict
    firm: bool
    """A lone or labelled word, or a sentence that names the answer: only a firm CORRECT overrules a firm INCORRECT."""
    bare: bool
    """A lone word, which could be an item of a list of choices."""


_NONE: Final = _Decision(Verdict.UNPARSED, firm=False, bare=False)


def parse_verdict(text: str, also: Mapping[str, Verdict] = MappingProxyType({})) -> Verdict:
    """Read the last explicit decision of a judge's reply.

    Understands Correct/Incorrect, Yes/No, 正确/错误 and 是/否 in any case, with markdown, full-width characters,
    punctuation and hyphens, alone or behind a reason. Negated forms ("not correct", "不正确") are INCORRECT. A closed
    <think> block is skipped; a reply that ends inside one has decided nothing.

    Args:
        text: the reply as the model gave it.
        also: whole decisions of another language with what they say. Such a decision counts if it is the last line of a
            reply that the grammar finds undecided, alone or behind a label that ends in a colon.

    Returns:
        CORRECT, INCORRECT, or UNPARSED where the reply holds no explicit decision.

    Example:
        >>> parse_verdict("The context names April. Verification Decision: The AI generated answer is **Incorrect**.")
        <Verdict.INCORRECT: 'INCORRECT'>
    """
    found = _judged(text, also)
    # A judge that shows a forged verdict has not given it; to reject is read more freely.
    return _judged(own_words(text), also) if found is Verdict.CORRECT else found


def _judged(text: str, also: Mapping[str, Verdict]) -> Verdict:
    plain = fold(spoken(text))
    found = _read(plain)
    return _known(plain, also) if found is Verdict.UNPARSED and also else found


def _known(plain: str, also: Mapping[str, Verdict]) -> Verdict:
    """Look the last line up among whole decisions."""
    decisions = {_bare(fold(decision)): verdict for decision, verdict in also.items()}
    last = _bare(plain.rpartition("\n")[2])
    label, _, rest = last.rpartition(":")
    return decisions.get(last) or decisions.get(_bare(rest) if label else "") or Verdict.UNPARSED


def _bare(line: str) -> str:
    return line.strip(" .。!\"'()[]{}")


def _read(plain: str) -> Verdict:
    if ALONE.fullmatch(plain):
        return Verdict.CORRECT
    current, before, question = _NONE, _NONE, ""
    for match in _SENTENCE.finditer(plain):
        sentence = match[1].strip()
        if current.verdict is Verdict.INCORRECT and _NEXT_CASE.match(sentence):
            break
        if "?" in match[2]:
            before, question = _NONE, sentence
        elif len(sentence) > 1 or not sentence.isascii():  # not the number of an item
            found = _decide(sentence, question)
            current, before, question = _follow(current, before, found, sentence), found, ""
    return current.verdict


def _follow(current: _Decision, before: _Decision, found: _Decision, sentence: str) -> _Decision:
    """Let a sentence change the decision so far; `before` is what the sentence in front of it decided."""
    if found.verdict is Verdict.UNPARSED:
        return _NONE if current.verdict is Verdict.CORRECT and _takes_back(sentence) else current
    if found.bare and before.bare and found.verdict is not before.verdict:
        return _NONE  # a list of the choices
    if found.verdict is Verdict.CORRECT and current.verdict is Verdict.INCORRECT and current.firm and not found.firm:
        return current
    return found


def _takes_back(sentence: str) -> bool:
    """Whether a sentence that decides nothing leaves nothing of the CORRECT before it."""
    return bool(TAKES_BACK.match(sentence) or (ABOUT_ANSWER.search(sentence) and RETRACTS.search(sentence)))


def _decide(sentence: str, question: str) -> _Decision:
    """Read one sentence, and the question before it."""
    if question and not ASKS.search(question) and (YES.fullmatch(sentence) or NO.match(sentence)):
        return _NONE
    found = _accepted(sentence)
    if found.verdict is Verdict.CORRECT:
        return found
    said = NO.match(sentence) or STATED_WRONG.match(sentence)
    if NO.match(sentence) or (REFUSED.search(sentence) and (said or not UNDECIDED.search(sentence))):
        return _Decision(Verdict.INCORRECT, firm=said is not None, bare=said is not None and len(sentence) <= _ITEM)
    return _NONE


def _accepted(sentence: str) -> _Decision:
    """Match a sentence, or the clause that concludes it, against the grammar of CORRECT."""
    if (found := _conclusion(sentence)).verdict is Verdict.CORRECT:
        return found
    splits = [(end.start(), end.end()) for end in islice(CLAUSE.finditer(sentence), _LEADS)]
    if given := GIVEN.match(sentence):
        splits.append((given.end(), given.end()))
    for reason, start in splits:
        if SUPPORT.search(sentence, 0, reason) and not CONTRARY.search(sentence, 0, reason):
            found = _conclusion(sentence[start:])
            if found.verdict is Verdict.CORRECT:
                return found._replace(firm=False, bare=False)
    return _NONE


def _conclusion(clause: str) -> _Decision:
    """Match a whole clause against the sentences of CORRECT."""
    for pattern, firm in ((STRONG, True), (WEAK, False), (YES, False)):
        match = pattern.fullmatch(clause)
        inside = _inside(match) if match else ""
        if match and _supports(match["rest"]) and not CONTRARY.search(inside) and not REPORTS.search(inside):
            return _Decision(Verdict.CORRECT, firm=firm, bare=not match["subject"])
    return _NONE


def _inside(match: re.Match[str]) -> str:
    """Return what stands between the answer and what is said of it."""
    groups = match.groupdict()
    return f"{groups.get('aside') or ''} {groups.get('value') or ''}"


def _supports(rest: str) -> bool:
    """Whether what follows the decision word leaves it as it is: nothing, or a reason that takes nothing back."""
    rest = rest.strip(" \"')]}.-")
    if not rest or RETRACTS.search(rest):
        return not rest
    return BECAUSE.match(rest.lstrip(",: ")) is not None or SUPPORT.search(rest) is not None

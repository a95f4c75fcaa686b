"""A judge's reply with all folded away that carries no decision: thoughts, markup, case, width, quotations."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_TAIL: Final = 20_000
"""Characters read from the end of a reply: the work stays bounded for any reply."""

THINK: Final = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
"""Where a thought begins or ends."""
FOLDED_QUOTATION: Final = 200
"""Characters of the longest quotation that is folded away."""
BLOCK: Final = r"</?(?:verdict|decision|reason|evaluation|explanation|result|output|p|div|br|li)\b[^<>]{0,80}>"
"""Tags that end a line, in lower case."""
_FOLD: Final = str.maketrans(
    dict.fromkeys("“”„«»「」『』《》", '"')
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("❌✖✗✘☒🚫👎⨯", "×")
    | dict.fromkeys("☑✅✓✔", " ")
    | dict.fromkeys("☐□", "[ ]")
    | {"【": "[", "】": "]", "確": "确", "錯": "错", "誤": "误", "對": "对", "無": "无", "嗎": "吗"}
)
_REWRITES: Final = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        # what is struck out, and the lines of boxes that are not ticked
        (r"~~[^~\n]{1,200}~~|<(s|del|strike)\b[^<>]{0,80}>[^<>]{0,200}</\1>", "\n"),
        (r"^[-*\d.) ]*\[ ?\].*$", "\n"),
        (r"\[x\]", " "),
        # markup: blocks end a sentence, the rest is nothing
        (BLOCK, "\n"),
        (r"(?:^|(?<=[ :\"(*_`]))[!¬≠~][ *_`]*(?=correct|yes|正确)", "not "),
        (r"</?[a-z][^<>]{0,80}>|\\(?:[a-z]{1,20}(?=\{)|(?!\w))|[*_`~#>|=$^]", " "),
        (r"(?<=\w)-(?=\w)", " "),
        # a negation that markup or a line break has torn off its word
        (r"\b(?:in|un|non|not)[\s\"'(\[{:,-]+correct\b", "incorrect"),
        (r"不[\s\"'(\[{:,-]+正确", "不正确"),
        (r"(\b(?:is|was)|[是为])\n(?=\W*(?:(?:in)?correct\b|正确|错误))", r"\1 "),
        # denied faults, and choices that name both words (an echo of the instruction)
        (
            r"(?:\bnot|n't|\bno|\bnothing|\bwithout)(?: (?:is|any|a|an))? "
            r"(?:incorrect|wrong|contradict\w*|conflict\w*|errors?|mistakes?|issues?|problems?)(?: found)?\b",
            " ¤ ",
        ),
        (r"(?:没有|无|不存在|未发现)(?:任何)?(?:错误|问题|矛盾)", " ¤ "),
        (
            r"\b(?:in)?correct ?(?:[,/\\]|\bor\b|\band\b|\bvs\b|、|或者?|还是) ?(?:in)?correct\b(?! answer)"
            r"|\b(?:yes|no) ?(?:/|\bor\b|或者?|还是) ?(?:yes|no)\b"
            r"|(?:不正确|错误|正确)\"? ?(?:,|/|、|\bor\b|或者?|还是|和|与) ?\"?(?:不正确|错误|正确)(?!的?答案|的?是)"
            r"|[是否] ?(?:/|、|或者?|还是|和|与) ?[是否]",
            " ? ",
        ),
        # other people's words; a quoted decision word or a key of an object stays
        (r"^((?:verification )?decision ?: ?|验证(?:结论|决定) ?: ?)\"([^\"\n]{1,200})\"$", r"\1\2"),
        (
            r"(?P<q>\"|(?<!\w)')(?! ?(?:(?:in)?correct|wrong|yes|no|不?正确|错误|[是否对])[.。]? ?(?P=q))"
            rf"(?:(?!(?P=q)).){{1,{FOLDED_QUOTATION}}}(?P=q)(?!\w| ?:)",
            '"q"',
        ),
    )
)


def spoken(text: str) -> str:
    """Leave out what the judge thought, and all but the tail of a long reply, from the start of a line."""
    thoughts = list(THINK.finditer(text))
    if thoughts:
        text = text[thoughts[-1].end() :] if thoughts[-1][1] else ""
    return text if len(text) <= _TAIL else text[-_TAIL:].partition("\n")[2]


def fold(text: str) -> str:
    """Fold away case, width, markup and invisible characters; apply the rewrites."""
    text = unicodedata.normalize("NFKC", text.translate(_FOLD)).translate(_FOLD).casefold()
    text = "".join(character for character in text if unicodedata.category(character) not in {"Cf", "So", "Mn"})
    text = _tidy(text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return _tidy(text)


def _tidy(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())

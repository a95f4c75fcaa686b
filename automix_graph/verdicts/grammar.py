"""The grammar of a decision, in English and Chinese: regular expressions over folded text, and nothing that runs."""

from __future__ import annotations

import re
from typing import Final

RETRACTS: Final = re.compile(
    r"\b(?:but|however|yet|except|although|though|despite|nevertheless|actually|wait|instead|otherwise|opposite|opposed"
    r"|unlike|if|unless|until|provided|assum\w*|suppos\w*|would|half|in part|partly|partially|almost|nearly|mostly"
    r"|claim\w*|ignored?|disregard\w*|inject\w*|reject\w*|incorrect\w*|wrong\w*|false|untrue|lie|disagree\w*"
    r"|inaccura\w*|contradict\w*|conflict\w*|errors?|mistak\w*|hallucinat\w*|fabricat\w*|unsupported|different\w*"
    r"|unlikely|doubt\w*|pending|kidding|sort of|at least|minus|(?:instruct|order|insist|want|tell)s?)\b"
    r"|\bonly (?:if|when|in|for|part\w*|half)\b|\bas (?:far|long|of)\b"
    r"|(?:\b(?:not|no|cannot)|n't)\b[\w ]{0,12}"
    r"\b(?:match|support|agree|confirm|correct|complete|accurate|true|right)\w*"
    r"|×|\?|\[ ?\]|\d/\d|但|却|然而|可是|不过|其实|相反|矛盾|注入|忽略|不符|不一致|不支持|不正确"
    r"|不对|不准|并非|并不|有误|错|如果|若|假|倘|除|虽|尽管|可能|也许|似|好像|应|部分|要求|要我|请"
)
"""Words that take a CORRECT back where they speak of it."""
TAKES_BACK: Final = re.compile(
    r"\W*(?:(?:but|however|yet|except|although|though|wait|actually|instead|otherwise|unless|if|never mind|ignore|ish"
    r"|disregard|just kidding|sort of|kind of|on second thoughts?|that said|pending"
    r"|not (?:really|quite|exactly|at all))\b"
    r"|no(?!\w)\W*(?:$|,)|.*(?:\b(?:is|was|are|were|do|does|did) not|n't|不是|不然)\W*$"
    r"|但|不过|然而|可是|其实|等等|等一下|相反|忽略|请)"
)
"""How a sentence begins that takes back the one before it."""
ABOUT_ANSWER: Final = re.compile(
    r"\b(?:answer|response|verdict|judge?ment|decision|above)\b|^\W*(?:this|it|that)\b|答案|回答|结论|判断|上述|以上|^\W*[这它]"
)
_NOT: Final = r"\b(?:no|not|cannot|only)\b|n't\b|不|没|否|缺|才|误"
CONTRARY: Final = re.compile(
    rf"{RETRACTS.pattern}|{_NOT}|\b(?:none|nothing|never|neither|nor|whether|unless|until|while|when|had|were|assum\w*|suppos\w*"
    r"|provided|should|could|might|may|must|ought|part\w*|half|some\w*|almost|nearly|mostly|first|long as|claim\w*"
    r"|users?|unlikely|missing|lacks?|doubt\w*)\b|\d/\d|\?|\[ ?\]|无(?!误)|非|未|只|仅|部分|如果|若|假|倘|除|当|即|虽"
    r"|尽管|可能|也许|似|好像|应|问题|表面|乍|称|(?<!上下文)说|写着|认为|必须|难|差"
)
"""Words that a sentence of CORRECT may not hold beside its decision."""
REPORTS: Final = re.compile(
    r"\b(?:says?|states?|holds?|reads?|contains?|includes?|writes?|asserts?|declares?|insists?|tells?|tr(?:y|ies)|wants?"
    r"|asks?|adds?|repeats?|quotes?|mentions?|thinks?|believes?|pretends?|implies|suggests?|argues?|announces?|notes?"
    r"|answer|response|reply|decision|verdict|itself)\b"
)
"""Words that turn a sentence about the answer into one about what the answer says."""
SUPPORT: Final = re.compile(
    r"\b(?:match\w*|agree\w*|support\w*|consistent|confirm\w*|correct|context|passages?|documents?|text|sources?|complete"
    r"|accurate)\b|\b(?:100|9\d) ?%|\"\w+\": ?\"q|一致|符合|正确|¤|上下文|文中|原文|因为|由于|(?:^|, ?)it (?:is|does)$"
)
"""Words that a clause behind Yes, or behind Correct, must hold to be a reason for it."""
BECAUSE: Final = re.compile(r"(?:because|since|as|based on|according to|因为|由于)(?!\w)")

# The parts of the grammar. Runs of punctuation are possessive, so that no reply makes the match backtrack over them;
# groups are atomic instead, because Python before 3.11.5 misses matches of possessive groups (CPython issue 106052).
_MARK: Final = r"[\s\[\](){}\"',:-]*+(?:(?:\d{1,2}|[a-e])[):] ?)?(?>(?:\w{1,20}\": ?\"q\", ?\"?)*)[\s\[({\"'-]*+"
_SEP: Final = r"[\s\])}\[({\"',:-]*+"
_CONTEXT: Final = r"(?:the )?(?:given |provided )?(?:context|passages?|documents?|text|information)(?: provided)?"
_LEAD: Final = (
    r"(?:(?:so|therefore|thus|hence|overall|finally|and|then|clearly|indeed|consequently|accordingly|as a result"
    r"|in (?:conclusion|summary)|to conclude|on reflection|this (?:means|confirms|shows) that|i can confirm that"
    r"|(?:i|we) (?:can |would |therefore |thus )?(?:judge|believe|think|conclude|find|say|confirm)(?: that)?"
    rf"|(?:based on|according to|given) {_CONTEXT}|{_CONTEXT} (?:\w+ly )?(?:confirms|shows|supports)(?: that)?"
    r"|因此|所以|综上(?:所述)?|故|因而|总之|可见|我们?(?:认为|判断|判定)"
    r"|(?:根据|结合)上下文)[,: ]*+){0,3}"
)
_LABEL: Final = (
    r"(?:(?:(?:the|my) )?(?:(?:final|overall|verification) )?"
    r"(?:decision|verdict|judge?ment|conclusion|evaluation|assessment|result|output)(?: is| was)?\b"
    r"|(?:最终|验证|判断|评估){0,2}(?:结论|判断|判定|决定|决策|评估|评价|结果)[是为]?)"
)
_NOUN: Final = (
    r"(?:(?:the|this|that) )?(?:ai|model|assistant)?(?:'s)? ?(?:generated |given |proposed |provided )?"
    r"(?:answer|response|reply)(?: to the question| (?:given|provided|generated) by the (?:ai|model))?"
    r"(?P<aside> ?, [^,]{1,80},| ?\([^()]{1,80}\))?"
    r"(?: ?\"\w[^\"]{0,80}\"| ?'[^']{1,80}'|(?P<value>(?: [^\s:()\"]{1,30}){1,6}?))? ?(?:is|was)\b"
    r"|(?:该|此|这个|上述)? ?(?:ai|模型)? ?(?:生成|给出|提供)?的? ?(?:答案|回答|回复|答复)"
    r"(?: ?\"[^\"]{1,80}\")? ?[是为]?"
)
_PRONOUN: Final = (
    r"(?:(?:it|this|that) (?:is|was)\b|(?:it|that)'s\b|(?:i|we) judge (?:it|the answer)(?: to be| as)?|[它这其]?是)"
)
_ADVERB: Final = (
    r"(?:(?:also|indeed|clearly|therefore|thus|hence|fully|completely|entirely|factually|perfectly|absolutely|totally"
    r"|definitely|certainly|exactly|100 ?%|(?:accurate|complete|supported|right) and) |完全|确实|绝对|十分){0,3}"
)
_WORD: Final = r"(?:correct\b|正确(?:无误)? ?的?|对 ?的?)"
_RIGHT: Final = rf"(?:(?:the )?(?:correct|right) (?:answer|one)\b|right\b|{_WORD}|无误)"
_END: Final = (
    r"(?P<rest>[\s\])}\"'-]*(?:\",)?|[\s\])}\"']*[,:(-].*"
    r"|[\])}\"' ]*(?:because|since|as|based on|according to|and|因为|由于)(?!\w).*)"
)

# The sentences: CORRECT by the first three and by `ALONE`, INCORRECT by `NO` and `REFUSED`.
STRONG: Final = re.compile(
    rf"{_MARK}{_LEAD}(?:{_LABEL}{_SEP}){{0,2}}(?:(?P<subject>{_NOUN}){_SEP}{_ADVERB}{_RIGHT}"
    rf"|(?:(?:final )?answer ?: ?)?{_SEP}{_ADVERB}{_WORD}){_END}"
)
WEAK: Final = re.compile(rf"{_MARK}{_LEAD}(?P<subject>{_PRONOUN}){_SEP}{_ADVERB}{_RIGHT}{_END}")
YES: Final = re.compile(
    rf"{_MARK}{_LEAD}(?:(?:{_LABEL}|final answer|(?:答案|回答)?是否正确){_SEP}){{0,2}}"
    rf"(?P<subject>)(?:yes\b|是的?){_END}"
)
ALONE: Final = re.compile(r"\W*(?:right|true)\W*")
NO: Final = re.compile(
    rf"{_MARK}{_LEAD}(?:(?:{_LABEL}|(?:final )?answer|(?:答案|回答)?是否正确){_SEP}){{0,2}}"
    r"(?:no|not|否|不是)[\])}\"' ]*(?:$|[^\w ¤]|because\b|since\b|as\b)"
)
CLAUSE: Final = re.compile(r",? ?\b(?:so|hence|thus|therefore)\b,? |, ?(?=[^\x00-\x7f])|,? ?(?:因此|所以|故)[, ]?")
GIVEN: Final = re.compile(r"(?:since|because|as|given|according to|based on) [^,]{1,300}, ")
ASKS: Final = re.compile(
    r"(?<!\w )\b(?:is|was) (?:it|(?:the |this )?(?:ai )?(?:generated |given )?answer) (?:correct|right)$"
    r"|(?<![说为])(?:答案|回答)(?:是否|是)?正确的?吗?$"
)
"""The questions that a Yes answers with CORRECT."""

REFUSED: Final = re.compile(
    r"(?:\b(?:incorrect|wrong|false)\b|(?:\b(?:not|never|neither|nor|hardly|barely|cannot|anything but|far from"
    r"|no longer|partially|partly|half|in part)\b|n't\b)[\w '-]{0,24}\bcorrect\b)"
    r"(?=[\])}\"' ]*(?:$|[^\w \])}\"']|(?:answer|because|since|as|based|given|according|per|and|but|for|due|when|with"
    r"|in|here|by|or|nor|although|though|despite|so|while)\b))"
    r"|(?:(?<!非)(?<!不是)(?:不正确|不对|有误)|(?<![对没无非])错误?|(?:不|并非|没有?|未必|非|无|难以?|部分|算不上)"
    r"[^,不]{0,4}(?:正确|对))[\])}\"' ]*[了的]?(?=[\])}\"' ]*(?:$|[^\w \])}\"']|因为|由于|但|而))"
)
STATED_WRONG: Final = re.compile(
    rf"{_MARK}{_LEAD}(?:{_LABEL}{_SEP}){{0,2}}(?:(?:{_NOUN}|{_PRONOUN}|answer ?:){_SEP})?{_ADVERB}"
    r"(?:incorrect\b|wrong\b|false\b|不正确|不对|错误|错|有误)"
)
UNDECIDED: Final = re.compile(
    r"\b(?:if|whether|unless|would|could|might|may|unable|unsure|unclear|uncertain|doubt|impossible|be either)\b"
    r"|\b(?:cannot|can not|can't|not possible to|not able to) (?:\w+ )?"
    r"(?:say|tell|know|be sure|verify|confirm|determine|judge|decide|conclude|evaluate|assess)\b"
    r"|\b(?:don't|do not|not) (?:know|sure|clear|certain)\b"
    r"|是否|如果|若|假如|要是|无法|不能(?:判断|确定|确认)|不确定|不清楚|难以|可能|也许|是不是|判断对错"
)

"""From a judge's words to a verdict, in English and Chinese.

The two errors do not weigh the same: a wrong answer that is accepted reaches the user, a right one that is escalated
costs a call. So CORRECT is given only to what a small grammar derives, from the start of a sentence to its end: marks,
a label, then the bare word or a sentence about the answer, then nothing or a supporting clause. Whatever else holds the
word (hedged, quoted, conditional, reported, asked) is no decision. INCORRECT is read more freely. This module knows no
prompt and no model.
"""

from automix_graph.verdicts.parser import parse_verdict

__all__ = ["parse_verdict"]

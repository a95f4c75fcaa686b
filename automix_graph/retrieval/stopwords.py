"""Words that say nothing about what a question is after.

They are left out of queries only, never out of the index, so the list can change without indexing again.
"""

from __future__ import annotations

from typing import Final

STOP_TERMS: Final = frozenset(
    """
a about after all also am an and any are as at be because been before being but by can could did do does doing done for
from had has have having he her here hers him his how i if in into is it its itself just may me might more most must my
no nor not of off on only or other our out over own same shall she should so some such than that the their them then
there these they this those through to too under until up upon us very was we were what when where which while who whom
whose why will with would you your
arent cant couldnt didnt doesnt dont hasnt havent isnt wasnt werent wont wouldnt
""".split()  # noqa: SIM905 - a block of words is easier to read and to change than a list
)
"""English words as `automix_graph.retrieval.terms` spells them. Chinese question words were tried: no effect."""

"""A question about a tower, and what is known of it."""

from __future__ import annotations

from automix_graph.records import Passage

PASSAGES = [Passage(text="The tower burned in 1900."), Passage(text="It was built in 1874.")]
QUESTION = "When was it built?"

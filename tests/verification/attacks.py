"""Texts that pose as a part of the prompt or as the verdict, and the prompts that they are put into."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import get_args

from automix_graph.prompts import Layout, languages, load_prompts


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A line of attacks.jsonl."""

    id: str
    language: str
    kind: str
    text: str


LINES = (Path(__file__).parent / "attacks.jsonl").read_text(encoding="utf-8").split("\n")
ATTACKS = [Attack(**json.loads(line)) for line in LINES if line]
ALL_PROMPTS = [
    prompts.with_examples(prompts.examples[:1])  # the others only take time
    for prompts in (load_prompts(language, layout) for language, layout in product(languages(), get_args(Layout)))
]

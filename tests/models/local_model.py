"""The embedded model that tests run for real, and what they ask it."""

from __future__ import annotations

SMALL = "local:smollm2-135m-instruct"
QUESTION = "What is the capital of France? One word."

"""Prompts as text files, in English and Chinese, and the one safe way to put values into them."""

from automix_graph.prompts.language import detect_language
from automix_graph.prompts.library import LANGUAGES, DecisionWords, Prompts, load_prompts
from automix_graph.prompts.quoting import as_data, numbered, well_formed
from automix_graph.prompts.template import Template

__all__ = [
    "LANGUAGES",
    "DecisionWords",
    "Prompts",
    "Template",
    "as_data",
    "detect_language",
    "load_prompts",
    "numbered",
    "well_formed",
]

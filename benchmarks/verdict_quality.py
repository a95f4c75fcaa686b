"""Measure how well an embedded judge tells right small answers from wrong ones.

Answers each question from its own context with the small model, scores the answer against the gold answers, has it
judged, and prints AUROC with a bootstrap interval and the accepted share by threshold. Slow on two cores: some ten
seconds a question.

    python benchmarks/verdict_quality.py --questions squad_dev_500.jsonl --n 60 --json out.json
"""

from __future__ import annotations

import argparse
import json
import random
import re
import string
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from automix_graph.config import DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.graph.defaults import choose_verifier
from automix_graph.graph.nodes import answer_prompt
from automix_graph.models.calling import call_model, named
from automix_graph.prompts import detect_language, load_prompts
from automix_graph.records import Passage, Record
from automix_graph.verification import Case

THRESHOLDS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.7)
LONGEST_ANSWER = 40
"""Words; a longer answer that happens to hold the gold answer does not count as right."""


def main() -> None:
    """Run the measurement that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True, help="JSONL with question, answers, context")
    parser.add_argument("--small", default=DEFAULT_SMALL)
    parser.add_argument("--large", default=DEFAULT_LARGE, help="the judge")
    parser.add_argument("--n", type=int, default=60, help="questions, drawn with the seed")
    parser.add_argument("--longest-context", type=int, default=900, help="characters; longer contexts are left out")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, help="where to write the cases and the summary")
    arguments = parser.parse_args()

    cases = [measure(row, arguments.small, arguments.large) for row in draw(arguments)]
    summary = summarise(cases, seed=arguments.seed) | {
        "small": arguments.small,
        "judge": arguments.large,
        "questions": arguments.questions.name,
        "date": date.today().isoformat(),
    }
    print(json.dumps(summary, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps({"summary": summary, "cases": cases}, ensure_ascii=False, indent=1))


def draw(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Draw the questions."""
    rows = [json.loads(line) for line in arguments.questions.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if len(row["context"]) <= arguments.longest_context]
    random.Random(arguments.seed).shuffle(rows)
    return rows[: arguments.n]


def measure(row: dict[str, Any], small: str, large: str) -> dict[str, Any]:
    """Answer, score and judge one question."""
    question, passages = row["question"], (Passage(text=row["context"]),)
    language = detect_language(question)
    record = Record(question=question, language=language, prompts=load_prompts(language).fingerprint, passages=passages)
    draft = call_model(named(small), answer_prompt(record), stage="small_answer")
    case = Case(question=question, passages=passages, answer=draft.text, language=language)
    judge = choose_verifier("large", small=named(small), large=named(large))
    found = judge.verify(case)
    right = is_right(draft.text, row["answers"], language)
    print(f"{'right' if right else 'wrong'}  {found.verification.confidence}  {question}", flush=True)
    return {
        "question": question,
        "answer": draft.text,
        "gold": row["answers"],
        "right": right,
        "confidence": found.verification.confidence,
        "seconds": found.calls[0].seconds,
        "input_tokens": found.calls[0].usage.input_tokens,
    }


def is_right(answer: str, golds: list[str], language: str) -> bool:
    """Return whether a short answer holds a gold answer, or shares half of its words (Chinese: characters) with one."""
    words = tokens(answer, language)
    if any(normalised(gold) in normalised(answer) for gold in golds) and len(words) <= LONGEST_ANSWER:
        return True
    return any(f1(words, tokens(gold, language)) >= 0.5 for gold in golds)


def normalised(text: str) -> str:
    """Drop case, punctuation and English articles, as SQuAD's scorer does."""
    text = "".join(character for character in text.lower() if character not in string.punctuation + "。，、？！")
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def tokens(text: str, language: str) -> list[str]:
    """Return the words of a text; in Chinese its characters."""
    return list(normalised(text).replace(" ", "")) if language == "zh" else normalised(text).split()


def f1(left: list[str], right: list[str]) -> float:
    """Return the harmonic mean of precision and recall of the shared tokens."""
    shared = sum((Counter(left) & Counter(right)).values())
    return 2 * shared / (len(left) + len(right)) if shared else 0.0


def summarise(cases: list[dict[str, Any]], *, seed: int) -> dict[str, Any]:
    """Return AUROC with its interval, and what each threshold accepts."""
    judged = [case for case in cases if case["confidence"] is not None]
    scores = np.array([case["confidence"] for case in judged])
    right = np.array([case["right"] for case in judged])
    generator = np.random.default_rng(seed)
    draws = (generator.integers(0, len(judged), len(judged)) for _ in range(2_000))
    resampled = [value for draw in draws if (value := auroc(scores[draw], right[draw])) is not None]
    return {
        "n": len(cases),
        "failed": len(cases) - len(judged),
        "small_right": float(right.mean()),
        "auroc": auroc(scores, right),
        "auroc_interval": [float(bound) for bound in np.quantile(resampled, [0.025, 0.975])],
        "thresholds": {
            str(threshold): {
                "accepted": float((scores > threshold).mean()),
                "right_among_accepted": share(right, scores > threshold),
                "accepted_of_right": share(scores > threshold, right),
                "accepted_of_wrong": share(scores > threshold, ~right),
            }
            for threshold in THRESHOLDS
        },
        "seconds_a_verdict": float(np.mean([case["seconds"] for case in judged])),
    }


def auroc(scores: np.ndarray, right: np.ndarray) -> float | None:
    """Return the chance that a right answer scores above a wrong one; None where one kind is missing."""
    high, low = scores[right], scores[~right]
    if not len(high) or not len(low):
        return None
    return float(((high[:, None] > low).sum() + 0.5 * (high[:, None] == low).sum()) / (len(high) * len(low)))


def share(values: np.ndarray, among: np.ndarray) -> float | None:
    """Return the share of true values among the chosen ones; None where none is chosen."""
    return float(values[among].mean()) if among.any() else None


if __name__ == "__main__":
    main()

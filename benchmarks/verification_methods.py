"""Measure how well each verifier tells right answers from wrong ones, and what it costs.

The cases are the small model's real answers to questions with gold answers (``--questions``, judged from each
question's own context), or pairs of a right and a hallucinated answer (``--pairs``). Every method judges the same
cases. Results go to journals in ``--out``, so a run can be stopped and goes on; ``--report`` prints their tables.

    python benchmarks/verification_methods.py --questions squad_dev_500.jsonl --n 200 --out results/squad \
        --methods token-probability likelihood answer-confidence
    python benchmarks/verification_methods.py --report results/squad

With ``--order cases`` (the default) all methods judge a case before the next, which is faster: they share prompts, so
tokens and seconds are not those of one method alone. With ``--order methods`` each method runs by itself, and they are,
if each is measured by a process of its own, with a new server; the report leaves the first case out of the costs.
``--escalate`` has the judge answer as well, in the layout of the method: what an escalated question costs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from fitted import LIKELIHOOD
from journal import Journal, Row, read_rows
from verification_report import report

from automix_graph.config import DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.evaluation import is_correct
from automix_graph.models import load_embeddings
from automix_graph.models.calling import NamedModel, call_model, named
from automix_graph.models.messages import as_messages
from automix_graph.prompts import Layout, detect_language, load_prompts
from automix_graph.records import Passage
from automix_graph.verification import (
    AnswerConfidence,
    Case,
    EvidenceOnly,
    Likelihood,
    ReasonedVerdict,
    ShortVerdict,
    TokenProbability,
    Verifier,
    Votes,
    fit_logistic,
)

Method = tuple[Layout, Callable[[NamedModel], Verifier]]
METHODS: Final[dict[str, Method]] = {
    "short": ("shared", lambda judge: ShortVerdict(judge=judge)),
    "short-document": ("document", lambda judge: ShortVerdict(judge=judge)),
    "reasoned": ("shared", lambda judge: ReasonedVerdict(judge=judge)),
    "votes-8": ("shared", lambda judge: Votes(judge=judge, samples=8)),
    "token-probability": ("shared", lambda judge: TokenProbability(judge=judge)),
    "token-probability-document": ("document", lambda judge: TokenProbability(judge=judge)),
    "likelihood": ("shared", lambda judge: Likelihood(judge=judge)),
    "likelihood-64": ("shared", lambda judge: Likelihood(judge=judge, max_tokens=64)),
    "likelihood-document": ("document", lambda judge: Likelihood(judge=judge)),
    "answer-confidence": ("shared", lambda judge: AnswerConfidence()),
    "answer-confidence-document": ("document", lambda judge: AnswerConfidence()),
    "evidence": (
        "shared",
        lambda judge: EvidenceOnly(
            verifier=TokenProbability(judge=judge), embeddings=load_embeddings(), max_context_tokens=128
        ),
    ),
}
"""The verifiers by name, each with the layout of its prompts."""

LONGER: Final = {"en": "Explain your answer in two or three sentences.", "zh": "请用两三句话说明你的答案。"}
_MAX_ANSWER: Final = 200
"""Tokens of a small answer."""


def main() -> None:
    """Run the measurement, or print the report, that the arguments ask for."""
    arguments = _parser().parse_args()
    if arguments.fit:
        _fit(arguments.fit, arguments.out)
        return
    if arguments.report:
        print(json.dumps(report(arguments.report, seed=arguments.seed), indent=2, ensure_ascii=False))
        return
    settings = {"small": arguments.small, "large": arguments.large, "longer": arguments.longer}
    settings |= {"source": (arguments.questions or arguments.pairs).name, "contexts": arguments.contexts}
    cases = list(_cases(arguments, Journal(arguments.out / "answers.jsonl", settings)))
    prompts = {layout: load_prompts("en", layout).fingerprint for layout in ("document", "shared")}
    judged = settings | {"order": arguments.order, "prompts": prompts}
    journal = Journal(arguments.out / f"verifications-{arguments.order}.jsonl", judged)
    _judge_all(cases, arguments, journal)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--questions", type=Path, help="JSONL with id, question, answers, context")
    what.add_argument("--pairs", type=Path, help="JSONL with id, question, context, right_answer, hallucinated_answer")
    what.add_argument("--report", type=Path, nargs="+", help="folders that --out named")
    what.add_argument(
        "--fit", type=Path, help="folder that --out named; writes the likelihood's scale to --out, a file"
    )
    parser.add_argument("--out", type=Path, help="folder for the journals")
    parser.add_argument("--methods", nargs="+", choices=sorted(METHODS), default=sorted(METHODS))
    parser.add_argument("--order", choices=["cases", "methods"], default="cases")
    parser.add_argument("--n", type=int, default=60, help="questions or pairs, drawn with the seed")
    parser.add_argument("--longer", action="store_true", help="ask the small model for two or three sentences")
    parser.add_argument("--contexts", type=int, default=1, help="how many contexts are read, the right one among them")
    parser.add_argument("--escalate", action="store_true", help="have the judge answer after it has judged")
    parser.add_argument("--small", default=DEFAULT_SMALL)
    parser.add_argument("--large", default=DEFAULT_LARGE, help="the judge")
    parser.add_argument("--seed", type=int, default=7)
    return parser


def _cases(arguments: argparse.Namespace, answers: Journal) -> Iterator[Row]:
    """Yield the cases as rows: id, group, question, contexts, answer, logprobs, correct."""
    rows = read_rows(arguments.questions or arguments.pairs)
    random.Random(arguments.seed).shuffle(rows)
    for number, row in enumerate(rows[: arguments.n]):
        others = [rows[(number + step) % len(rows)]["context"] for step in range(1, arguments.contexts)]
        # The question's own context stands at a place that changes, among those of the next questions.
        place = number % arguments.contexts
        contexts = [*others[:place], row["context"], *others[place:]]
        known = {"id": row["id"], "question": row["question"], "contexts": contexts}
        if arguments.pairs:
            for kind in ("right", "hallucinated"):
                yield known | {
                    "key": f"{row['id']}/{kind}",
                    "answer": row[f"{kind}_answer"],
                    "correct": kind == "right",
                }
            continue
        if row["id"] not in answers.rows:
            answers.add({"key": row["id"]} | _small_answer(arguments, row["question"], contexts))
            print(f"answered {len(answers.rows)}/{arguments.n}", file=sys.stderr)
        answer = answers.rows[row["id"]]
        if not answer["answer"].strip():
            continue
        correct = is_correct(answer["answer"], row["answers"], detect_language(row["question"]))
        yield known | answer | {"correct": correct}


def _small_answer(arguments: argparse.Namespace, question: str, contexts: Sequence[str]) -> Row:
    prompts = load_prompts(detect_language(question), "document")
    asked = f"{question}\n{LONGER[prompts.language]}" if arguments.longer else question
    messages = as_messages(prompts.answer(asked, [Passage(text=text) for text in contexts]))
    options = {"logprobs": True, "max_tokens": _MAX_ANSWER}
    attempt = call_model(named(arguments.small), messages, stage="small_answer", options=options)
    return {"answer": attempt.text, "logprobs": attempt.logprobs, "seconds": attempt.call.seconds}


def _judge_all(cases: Sequence[Row], arguments: argparse.Namespace, journal: Journal) -> None:
    judge = named(arguments.large)
    verifiers = {name: METHODS[name][1](judge) for name in arguments.methods}
    pairs = [(case, name) for case in cases for name in arguments.methods]
    if arguments.order == "methods":
        pairs.sort(key=lambda pair: arguments.methods.index(pair[1]))
    left = [(case, name) for case, name in pairs if f"{name}/{case['key']}" not in journal.rows]
    start = time.monotonic()
    for number, (case, name) in enumerate(left, start=1):
        row = _judge(case, name, verifiers[name])
        if arguments.escalate:
            row["answered"] = _large_answer(case, name, judge)
        journal.add(row)
        minutes = (time.monotonic() - start) / number * (len(left) - number) / 60
        print(f"{number}/{len(left)}  {name}  {minutes:.0f} min left", file=sys.stderr)


def _large_answer(case: Row, name: str, judge: NamedModel) -> Row:
    prompts = load_prompts(detect_language(case["question"]), METHODS[name][0])
    messages = as_messages(prompts.answer(case["question"], [Passage(text=text) for text in case["contexts"]]))
    attempt = call_model(judge, messages, stage="large_answer", options={"max_tokens": _MAX_ANSWER})
    return {"text": attempt.text, "usage": asdict(attempt.call.usage), "seconds": attempt.call.seconds}


def _judge(case: Row, name: str, verifier: Verifier) -> Row:
    start = time.perf_counter()
    found = verifier.verify(
        Case(
            question=case["question"],
            passages=tuple(Passage(text=text) for text in case["contexts"]),
            answer=case["answer"],
            prompts=load_prompts(detect_language(case["question"]), METHODS[name][0]),
            logprobs=tuple(case.get("logprobs", ())),
        )
    )
    seconds = time.perf_counter() - start
    return {
        "key": f"{name}/{case['key']}",
        "method": name,
        "case": case["key"],
        "group": case["id"],
        "correct": case["correct"],
        "answer_characters": len(case["answer"]),
        "confidence": found.verification.confidence,
        "verdict": found.verification.verdict.value,
        "failure": found.verification.failure,
        "signals": dict(found.verification.signals),
        "usage": [asdict(call.usage) for call in found.calls],
        "seconds": seconds,
    }


def _fit(folder: Path, out: Path) -> None:
    """Fit the scale of the likelihood to all its rows."""
    _, *rows = read_rows(folder / "verifications-cases.jsonl")
    judged = [row for row in rows if row["method"] == "likelihood" and row["signals"]]
    features = {name: [take(row) for row in judged] for name, (_, take) in LIKELIHOOD.items()}
    fit_logistic(features, [row["correct"] for row in judged]).save(out)


if __name__ == "__main__":
    main()

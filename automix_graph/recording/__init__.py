"""Recording what every tier does with a question, so that policies can be compared without asking again."""

from automix_graph.recording.flat import write_parquet
from automix_graph.recording.handler import RecordingHandler
from automix_graph.recording.judge import LLMJudge
from automix_graph.recording.report import Failed, Progress, RecordingReport
from automix_graph.recording.row_files import read_rows
from automix_graph.recording.rows import BadRow, Row, Rows
from automix_graph.recording.runner import arecord_dataset, record_dataset
from automix_graph.recording.scoring import SCORERS, FunctionScorer, Score, Scorer, scorer_of
from automix_graph.recording.spending import Spent

__all__ = [
    "SCORERS",
    "BadRow",
    "Failed",
    "FunctionScorer",
    "LLMJudge",
    "Progress",
    "RecordingHandler",
    "RecordingReport",
    "Row",
    "Rows",
    "Score",
    "Scorer",
    "Spent",
    "arecord_dataset",
    "read_rows",
    "record_dataset",
    "scorer_of",
    "write_parquet",
]

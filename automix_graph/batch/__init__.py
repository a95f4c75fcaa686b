"""Long batches of questions: bounded in concurrency and cost, journalled, resumed after whatever stopped them."""

from automix_graph.batch.options import BatchOptions
from automix_graph.batch.questions import Rejected
from automix_graph.batch.report import BatchProgress, BatchReport, FailedRow
from automix_graph.batch.runner import arun_batch, run_batch
from automix_graph.batch.settings import settings_of

__all__ = [
    "BatchOptions",
    "BatchProgress",
    "BatchReport",
    "FailedRow",
    "Rejected",
    "arun_batch",
    "run_batch",
    "settings_of",
]

"""Ask a small model, let a judge check the answer, and pay for the large model only where it helps.

A LangGraph graph for question answering over documents. Names are loaded when they are first used, so that importing
the package costs little more than importing LangGraph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automix_graph.lazy import lazy_names

if TYPE_CHECKING:
    from automix_graph.agents import AutoMixMiddleware as AutoMixMiddleware
    from automix_graph.agents import create_automix_tool as create_automix_tool
    from automix_graph.batch import BatchOptions as BatchOptions
    from automix_graph.batch import arun_batch as arun_batch
    from automix_graph.batch import run_batch as run_batch
    from automix_graph.costs import Limits as Limits
    from automix_graph.costs import Price as Price
    from automix_graph.engines import RayEngine as RayEngine
    from automix_graph.errors import AutomixError as AutomixError
    from automix_graph.graph import AllTiers as AllTiers
    from automix_graph.graph import AnswerCache as AnswerCache
    from automix_graph.graph import AutomixContext as AutomixContext
    from automix_graph.graph import ModelTier as ModelTier
    from automix_graph.graph import build_automix as build_automix
    from automix_graph.graph import create_automix as create_automix
    from automix_graph.models import Retries as Retries
    from automix_graph.models import load_embeddings as load_embeddings
    from automix_graph.policies import AcceptCorrect as AcceptCorrect
    from automix_graph.policies import Always as Always
    from automix_graph.policies import Capped as Capped
    from automix_graph.policies import DoubleThreshold as DoubleThreshold
    from automix_graph.policies import OptimalStopping as OptimalStopping
    from automix_graph.policies import PerTier as PerTier
    from automix_graph.policies import PomdpPolicy as PomdpPolicy
    from automix_graph.policies import RandomMix as RandomMix
    from automix_graph.policies import Threshold as Threshold
    from automix_graph.policies import UtilityPolicy as UtilityPolicy
    from automix_graph.policies import load_policy as load_policy
    from automix_graph.policies import save_policy as save_policy
    from automix_graph.recording import RecordingHandler as RecordingHandler
    from automix_graph.recording import record_dataset as record_dataset
    from automix_graph.records import Verdict as Verdict
    from automix_graph.retrieval import FaissStore as FaissStore
    from automix_graph.shadow import Background as Background
    from automix_graph.verdicts import parse_verdict as parse_verdict
    from automix_graph.verification import AnswerConfidence as AnswerConfidence
    from automix_graph.verification import Combined as Combined
    from automix_graph.verification import EvidenceOnly as EvidenceOnly
    from automix_graph.verification import FunctionVerifier as FunctionVerifier
    from automix_graph.verification import Likelihood as Likelihood
    from automix_graph.verification import Logistic as Logistic
    from automix_graph.verification import ReasonedVerdict as ReasonedVerdict
    from automix_graph.verification import ShortVerdict as ShortVerdict
    from automix_graph.verification import TokenProbability as TokenProbability
    from automix_graph.verification import TwoStage as TwoStage
    from automix_graph.verification import Votes as Votes
    from automix_graph.verification import WithinBudget as WithinBudget

_HOMES = {
    "AnswerConfidence": "verification",
    "Combined": "verification",
    "EvidenceOnly": "verification",
    "FunctionVerifier": "verification",
    "Likelihood": "verification",
    "Logistic": "verification",
    "ReasonedVerdict": "verification",
    "ShortVerdict": "verification",
    "TokenProbability": "verification",
    "TwoStage": "verification",
    "Votes": "verification",
    "WithinBudget": "verification",
    "AcceptCorrect": "policies",
    "AllTiers": "graph",
    "AnswerCache": "graph",
    "ModelTier": "graph",
    "Always": "policies",
    "Capped": "policies",
    "DoubleThreshold": "policies",
    "OptimalStopping": "policies",
    "PerTier": "policies",
    "PomdpPolicy": "policies",
    "RandomMix": "policies",
    "UtilityPolicy": "policies",
    "AutoMixMiddleware": "agents",
    "AutomixContext": "graph",
    "AutomixError": "errors",
    "Background": "shadow",
    "BatchOptions": "batch",
    "FaissStore": "retrieval",
    "Limits": "costs",
    "Price": "costs",
    "RayEngine": "engines",
    "RecordingHandler": "recording",
    "Retries": "models",
    "Threshold": "policies",
    "Verdict": "records",
    "arun_batch": "batch",
    "build_automix": "graph",
    "create_automix": "graph",
    "create_automix_tool": "agents",
    "load_embeddings": "models",
    "load_policy": "policies",
    "parse_verdict": "verdicts",
    "record_dataset": "recording",
    "run_batch": "batch",
    "save_policy": "policies",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table serves the exports and their homes

__getattr__, __dir__ = lazy_names(__name__, _HOMES)

"""Work behind the answers of a graph: shadow mode and audits, on threads of their own, up to a ceiling on cost."""

from automix_graph.shadow.background import Background
from automix_graph.shadow.counts import Counts

__all__ = ["Background", "Counts"]

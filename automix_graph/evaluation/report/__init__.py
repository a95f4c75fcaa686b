"""An evaluation for people: one self-contained HTML file, and the same plots in a notebook.

Everything that is shown is worked out from an `automix_graph.evaluation.Evaluation`, and from its records where texts
are wanted. Needs the extra ``report`` (matplotlib, Jinja), which is imported when something is drawn.
"""

from automix_graph.evaluation.report.notebook import Plots, plots
from automix_graph.evaluation.report.writing import write_report

__all__ = ["Plots", "plots", "write_report"]

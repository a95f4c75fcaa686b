"""What calls cost: prices, the ledger of one question, and whether a cascade pays."""

from automix_graph.costs.bill import asked_alone, bill_of, estimated_large
from automix_graph.costs.break_even import QuestionCosts
from automix_graph.costs.comparison import LayoutCosts, Outlook, Plan, compare_layouts
from automix_graph.costs.layouts import ASSUMPTIONS, VerifierLayout, default_layouts, layouts_of
from automix_graph.costs.ledger import summarise, total_cost
from automix_graph.costs.limits import Limits
from automix_graph.costs.prices import MILLION, Price, Prices
from automix_graph.costs.workload import PromptTokens, Workload

__all__ = [
    "ASSUMPTIONS",
    "MILLION",
    "LayoutCosts",
    "Limits",
    "Outlook",
    "Plan",
    "Price",
    "Prices",
    "PromptTokens",
    "QuestionCosts",
    "VerifierLayout",
    "Workload",
    "asked_alone",
    "bill_of",
    "compare_layouts",
    "default_layouts",
    "estimated_large",
    "layouts_of",
    "summarise",
    "total_cost",
]

"""The graph that a LangGraph server opens: ``langgraph dev``, Studio, or an Agent Server.

``langgraph.json`` names `make_graph`. The server calls it for every run, so the graph is made once a process, and its
index stays open. These modules do not know the server and import nothing of it.
"""

from automix_graph.langgraph_server.environment import GraphSettings
from automix_graph.langgraph_server.factory import make_graph, open_graph

__all__ = ["GraphSettings", "make_graph", "open_graph"]

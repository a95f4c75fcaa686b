"""``python -m automix_graph`` is the ``automix`` command."""

from automix_graph.cli.main import main

if __name__ == "__main__":
    main()

"""The ``automix`` command."""

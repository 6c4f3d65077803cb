"""Data sets, networks, training, search, evaluation and figures."""

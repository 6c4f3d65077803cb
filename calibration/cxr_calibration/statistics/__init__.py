"""Measures of scores against the truth, their intervals and tests; nothing here knows of films or files."""

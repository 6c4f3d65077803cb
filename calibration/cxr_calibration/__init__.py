"""Scores and truth to calibrated probabilities, operating points and drift alarms."""

"""Scans against a reference: what has changed, and whether that is chance."""

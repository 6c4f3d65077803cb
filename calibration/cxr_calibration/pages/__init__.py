"""Calibrations and drift reports as pages to read."""

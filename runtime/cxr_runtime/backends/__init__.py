"""Inference backends: one small protocol, one file each, imported on use."""

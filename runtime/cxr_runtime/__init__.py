"""Ranks chest X-ray films by how likely they are abnormal, without torch and without a network connection."""

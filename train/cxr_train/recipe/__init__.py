"""Recipes: everything that decides how a network is trained."""

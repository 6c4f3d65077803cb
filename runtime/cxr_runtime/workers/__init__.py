"""Processes that do the dangerous work: a task that crashes, hangs or eats memory ends only itself."""

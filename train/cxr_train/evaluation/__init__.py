"""How good models are: measured with intervals, by group, and against each other."""

from hypothesis import settings

# The same examples on every machine and every run, and no clock in the verdict.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=60)
settings.load_profile("repeatable")

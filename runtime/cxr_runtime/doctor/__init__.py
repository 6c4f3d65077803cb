"""What works on this machine and what does not: the whole of `cxr-triage doctor`."""

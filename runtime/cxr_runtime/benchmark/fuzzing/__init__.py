"""A fuzzer for every reader of bytes that a stranger may have written: `cxr-triage lab fuzz`."""

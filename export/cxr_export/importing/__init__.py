"""Networks that others trained, as model folders: the whole of `cxr-triage import`."""

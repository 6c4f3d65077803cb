"""How fast this machine is, backend by backend, stage by stage and end to end: `cxr-triage benchmark`."""

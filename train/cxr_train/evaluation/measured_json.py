"""What `evaluate` and `explain` wrote as JSON, read again for tables."""

import json
from pathlib import Path
from typing import Any

from cxr_runtime.errors import UsageError


def read_measured(path: Path) -> Any:
    """Read evaluation.json or localisation.json.

    Raises:
        UsageError: the file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read ({error}); expected evaluation.json of `cxr-triage evaluate`, or "
            "localisation.json of `cxr-triage explain`"
        ) from error

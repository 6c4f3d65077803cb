"""Programs beside the command line, `python -m ...`: an error made on purpose is one line, as there."""

import sys
from collections.abc import Callable

from cxr_runtime.errors import CxrTriageError


def run_program(main: Callable[[], None]) -> None:
    """Run a program by the process's own command line.

    Raises:
        SystemExit: with the error's exit status, after its line.
    """
    try:
        main()
    except CxrTriageError as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        sys.exit(error.exit_status)

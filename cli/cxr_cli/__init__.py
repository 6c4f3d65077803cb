"""The command line: one function a subcommand, heavy imports inside it."""

import sys
from typing import NoReturn


def start() -> NoReturn:
    """Run the command line; a library that cannot be imported is one line, whichever it is."""
    try:
        from cxr_cli.main import main
    except ImportError as error:
        sys.exit(f"cxr-triage: {about_broken(error)}")
    main()


def about_broken(error: ImportError) -> str:
    """What is wrong with this installation where a library cannot be imported, and the way out."""
    return f"a library that it needs does not load ({error}); install cxr-triage anew"

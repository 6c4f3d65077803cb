"""The command line: one function a subcommand, heavy imports inside it."""

import atexit
import gc
import os
import sys
import warnings

# New objects after which Python looks for garbage; by itself 700. A scan's start and its reports make many
# objects that stay, and to look through them again and again takes a tenth of its time.
OBJECTS = 150_000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def start() -> "NoReturn":
    """Run the command line; a library that cannot be imported is one line, whichever it is."""
    ended = list[int]()
    atexit.register(_leave, ended)  # the first, so that it comes after all others
    gc.set_threshold(OBJECTS)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # else it asks every installed package for some
    # Products and pictures are small here, and films are done beside each other: more threads would spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # those of libraries quote values of headers, and may end in a log
    _leave_current_folder()  # before anything is imported that could lie there
    from cxr_cli.streams import mend_streams
    from cxr_runtime.offline import hide_requests

    hide_requests()
    mend_streams()
    try:
        from cxr_cli.main import main
    except ImportError as error:
        sys.exit(f"cxr-triage: {about_broken(error)}")
    try:
        main()
    except SystemExit as end:
        ended += [end.code] if isinstance(end.code, int) else []
        raise
    finally:  # what is left ends with the process; to look for garbage in it would take a fifth of a second
        gc.freeze()


def _leave(ended: list[int]) -> None:
    """Leave it to the system to take the process apart: Python would need another twentieth of a second.

    Args:
        ended: the exit status; where there is none, or a stream cannot be written, Python ends as ever.
    """
    if not ended:
        return
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(ended[0])


def about_broken(error: ImportError) -> str:
    """What is wrong with this installation where a library cannot be imported, and the way out."""
    from cxr_runtime.memory import about_limit

    told = f"a library that it needs does not load ({error}); install cxr-triage anew"
    return f"{told}{about_limit()}"


def _leave_current_folder() -> None:
    """Import nothing from the folder that we were started in: PYTHONPATH=: and PYTHONPATH=. name it, too."""
    stated = os.environ.get("PYTHONPATH") or os.sep
    if any(os.path.normpath(entry) == os.curdir for entry in stated.split(os.pathsep)):
        here = os.getcwd()  # noqa: PTH109 - pathlib is not loaded yet
        sys.path[:] = [entry for entry in sys.path if entry != here]
    sys.path[:] = [entry for entry in sys.path if entry]

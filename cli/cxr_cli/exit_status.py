"""The exit statuses of every command: a contract, which schedulers stand on (docs/settings.md)."""

from enum import IntEnum

from cxr_runtime.errors import CxrTriageError, UsageError


class ExitStatus(IntEnum):
    """How a command ended.

    AMISS: it is done, and somebody should look. `scan`: films without a score. `send`, `watch --once`: an
    archive has not all results. `monitor`: an alarm. `audit verify`: a broken chain. `prune`: a folder above
    --keep-under. `appliance --health`: a part that is amiss. `lab`: words that are missing, refused networks.
    """

    DONE = 0
    FAILED = CxrTriageError.exit_status  # 1: it could not be done, or not wholly: a report was not written
    WRONG_USAGE = UsageError.exit_status  # 2
    AMISS = 3
    INTERRUPTED = 130  # what Typer makes of a KeyboardInterrupt

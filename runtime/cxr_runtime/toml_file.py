"""Settings in TOML, as they are read from a file that anybody may have written."""

import tomllib
from pathlib import Path
from typing import Any

from cxr_runtime.errors import UsageError
from cxr_runtime.names import printable

MOST_BYTES = 1 << 20


def read_toml(path: Path, see: str) -> dict[str, Any]:
    """Read a file of settings.

    Args:
        path: of the file.
        see: where a user finds what may stand in it; the end of every error.

    Raises:
        UsageError: it cannot be read, is longer than MOST_BYTES, or is not TOML in UTF-8.
    """
    shown = printable(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UsageError(f"{shown} has more than {MOST_BYTES} bytes; expected settings: {see}")
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"the settings {shown} cannot be read ({error.strerror}); {see}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is not text in UTF-8; save it so. {see}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{shown} is not TOML: {printable(str(error))}; {see}") from error

"""Progress bars that are on the terminal; taken down before anything is said of why a command ended."""

from contextlib import ExitStack

OPEN_BARS = ExitStack()  # a bar that began leaves its `stop` here; it hides the cursor until then

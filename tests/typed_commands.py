"""Commands of `cxr-triage` as they are typed, in the process of the test."""

import pytest

from cxr_cli.main import main


def exit_status(*words: object) -> int:
    """With which status `cxr-triage WORDS` ends."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code

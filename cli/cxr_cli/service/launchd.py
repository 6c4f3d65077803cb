"""A daemon of macOS (launchd.plist(5)): started with the machine, or every night."""

import plistlib
from typing import Any

from cxr_cli.service.duty import Duty

_AGAIN_AFTER, _UNTIL_KILLED, _UMASK = 10, 120, 0o077  # seconds, seconds


def launchd(duty: Duty) -> dict[str, bytes]:
    """The property list, for /Library/LaunchDaemons."""
    label = f"org.{duty.name}"
    stated: dict[str, Any] = {
        "Label": label,
        "ProgramArguments": [duty.program, *duty.words],
        "UserName": duty.user,
        "Umask": _UMASK,
        "ExitTimeOut": _UNTIL_KILLED,
        "StandardErrorPath": f"/Library/Logs/{duty.name}.log",
        "StandardOutPath": f"/Library/Logs/{duty.name}.log",
    }
    if duty.at is None:
        stated |= {
            "RunAtLoad": True, "KeepAlive": {"SuccessfulExit": False}, "ThrottleInterval": _AGAIN_AFTER
        }  # fmt: skip
    else:
        hour, minute = map(int, duty.at.split(":"))
        stated["StartCalendarInterval"] = {"Hour": hour, "Minute": minute}
    return {f"{label}.plist": plistlib.dumps(stated, sort_keys=False)}

"""Units for systemd: the service, locked in, and for `scan` a timer."""

import re
from collections.abc import Iterator

from cxr_cli.exit_status import ExitStatus
from cxr_cli.service.duty import Duty

STATE = "/var/lib/cxr-triage"  # the service's home: keys, calibrations, cache
_HOMES = ("/home/", "/root", "/run/user/")
# Landlock and seccomp lock in the processes that read films; systemd 252 has them in no set.
_CALLS = "@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp"
_LOCKS = (
    """\
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
"""
    + f"SystemCallFilter={_CALLS}\n"
)


def systemd(duty: Duty) -> dict[str, bytes]:
    """The units by their file names (systemd.service, systemd.exec, systemd.timer)."""
    files = {f"{duty.name}.service": "".join(_service(duty))}
    if duty.at is not None:
        files[f"{duty.name}.timer"] = _timer(duty)
    return {name: text.encode() for name, text in files.items()}


def _service(duty: Duty) -> Iterator[str]:
    yield f"[Unit]\nDescription={duty.about}\n"
    if duty.has_network:
        yield "Wants=network-online.target\nAfter=network-online.target remote-fs.target\n"
    else:
        yield "After=remote-fs.target\n"
    yield f"\n[Service]\nUser={duty.user}\nExecStart={' '.join(map(_quoted, (duty.program, *duty.words)))}\n"
    if duty.at is not None:
        yield f"Type=oneshot\nSuccessExitStatus={ExitStatus.AMISS:d}\n"  # some films were rejected or failed
    else:
        yield f"Restart=on-failure\nRestartSec=10\nRestartPreventExitStatus={ExitStatus.WRONG_USAGE:d}\n"
    yield "TimeoutStopSec=120\nKillMode=mixed\nStateDirectory=cxr-triage\nStateDirectoryMode=0700\n"
    yield f"Environment=HOME={STATE}\nWorkingDirectory={STATE}\n"
    yield f"ReadWritePaths={' '.join(map(_quoted, duty.writes))}\n"
    in_homes = any(path.startswith(_HOMES) for path in (*duty.writes, *duty.reads, duty.program))
    yield f"ProtectHome={'read-only' if in_homes else 'yes'}\n"
    if not duty.with_gpu:
        yield "PrivateDevices=yes\n"
    if duty.has_network:
        yield "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
    else:
        yield "RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=yes\nIPAddressDeny=any\n"
    capabilities = "CAP_NET_BIND_SERVICE" if duty.listens_as_system else ""
    yield f"CapabilityBoundingSet={capabilities}\nAmbientCapabilities={capabilities}\n"
    yield _LOCKS
    if duty.at is None:
        yield "\n[Install]\nWantedBy=multi-user.target\n"


def _timer(duty: Duty) -> str:
    return (
        f"[Unit]\nDescription={duty.about}\n\n[Timer]\nOnCalendar=*-*-* {duty.at}:00\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _quoted(word: str) -> str:
    """A word as systemd reads it (systemd.service, COMMAND LINES; systemd.unit, SPECIFIERS)."""
    plain = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return plain if re.fullmatch(r"[\w./:@%+=,-]+", word) else f'"{plain}"'

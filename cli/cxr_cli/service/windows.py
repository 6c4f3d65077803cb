"""What Windows starts the program by: a task of the Task Scheduler, or a service that WinSW keeps."""

from subprocess import list2cmdline
from xml.etree import ElementTree as Xml

from cxr_cli.service.duty import Duty

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_SYSTEM_USERS = {"LocalService": "S-1-5-19", "NetworkService": "S-1-5-20", "SYSTEM": "S-1-5-18"}
_FROM = "2026-01-01"  # a trigger needs a day from which it counts
_SETTINGS = {
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "StartWhenAvailable": "true",
    "ExecutionTimeLimit": "PT0S",  # none
}


def scheduled_task(duty: Duty) -> dict[str, bytes]:
    """A task, in UTF-16 as `schtasks /Create /XML` wants it (Task Scheduler Schema 1.4)."""
    task = Xml.Element("Task", version="1.4", xmlns=_NAMESPACE)
    _text(Xml.SubElement(task, "RegistrationInfo"), "Description", duty.about)
    triggers = Xml.SubElement(task, "Triggers")
    if duty.at is None:
        Xml.SubElement(triggers, "BootTrigger")
    else:
        nightly = Xml.SubElement(triggers, "CalendarTrigger")
        _text(nightly, "StartBoundary", f"{_FROM}T{duty.at}:00")
        _text(Xml.SubElement(nightly, "ScheduleByDay"), "DaysInterval", "1")
    principal = Xml.SubElement(Xml.SubElement(task, "Principals"), "Principal", id="Runner")
    _text(principal, "UserId", _SYSTEM_USERS.get(duty.user, duty.user))
    _text(principal, "RunLevel", "LeastPrivilege")
    settings = Xml.SubElement(task, "Settings")
    for name, value in _SETTINGS.items():
        _text(settings, name, value)
    if duty.at is None:
        again = Xml.SubElement(settings, "RestartOnFailure")
        _text(again, "Interval", "PT1M")
        _text(again, "Count", "255")  # the most that its schema takes (MS-TSCH 2.5.4.2)
    run = Xml.SubElement(Xml.SubElement(task, "Actions", Context="Runner"), "Exec")
    _text(run, "Command", duty.program)
    _text(run, "Arguments", list2cmdline(duty.words))
    return {f"{duty.name}.xml": _written(task, "utf-16")}


def winsw(duty: Duty) -> dict[str, bytes]:
    """The file beside WinSW's program of the same name (WinSW 2 and 3, xml-config-file).

    Raises:
        UsageError: it runs at night and ends; that is for a task.
    """
    from cxr_runtime.errors import UsageError

    if duty.at is not None:
        raise UsageError("`scan` ends by itself and is not a service; expected KIND windows-task for it")
    service = Xml.Element("service")
    for name, value in {
        "id": duty.name, "name": duty.name, "description": duty.about, "executable": duty.program,
        "arguments": list2cmdline(duty.words), "startmode": "Automatic", "stoptimeout": "120 sec",
        "resetfailure": "1 hour",
    }.items():  # fmt: skip
        _text(service, name, value)
    for delay in ("10 sec", "1 min", "5 min"):
        Xml.SubElement(service, "onfailure", action="restart", delay=delay)
    account = Xml.SubElement(service, "serviceaccount")
    _text(account, "username", f"NT AUTHORITY\\{duty.user}" if duty.user in _SYSTEM_USERS else duty.user)
    log = Xml.SubElement(service, "log", mode="roll-by-size")
    _text(log, "sizeThreshold", "10240")
    _text(log, "keepFiles", "5")
    return {f"{duty.name}.xml": _written(service, "utf-8")}


def _text(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, name).text = text


def _written(root: Xml.Element, encoding: str) -> bytes:
    Xml.indent(root)
    text = f'<?xml version="1.0" encoding="{encoding.upper()}"?>\n{Xml.tostring(root, encoding="unicode")}\n'
    return text.encode(encoding)

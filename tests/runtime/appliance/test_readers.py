"""The worklist and alerts under the appliance's roof."""

from pathlib import Path

import pytest

from cxr_runtime.appliance.readers import Readers
from cxr_runtime.appliance.restarting import PartState
from cxr_runtime.appliance.settings import Clinic
from cxr_runtime.errors import UsageError
from dicom_archives import free_port
from drawn_stores import ask
from model_folders import write_model_folder
from running_appliances import Running, draw, settings
from served_rooms import Browser


def test_the_worklist_is_served_before_the_first_film_and_a_suspicious_one_is_called_out(
    tmp_path: Path,
) -> None:
    port = free_port()
    more = {"serve": {"port": port}, "alert": {"score": 1.0}}
    running = Running(settings(tmp_path, write_model_folder(tmp_path / "model"), **more))
    with running.run():
        running.wait(lambda health: part(health.parts, "serve") is PartState.RUNS)
        browser = Browser(port).load()
        draw(tmp_path / "in1" / "1.png", 1)
        running.wait(lambda health: health.films == 1)
        assert "1.png" in browser.get("/rows").text
        running.wait(lambda _: ask(running.orders.out, "SELECT act FROM audit WHERE act = 'alerted'") != [])
    assert part(running.health().parts, "serve") is PartState.ENDED
    assert running.said == []


def part(parts: object, name: str) -> PartState | None:
    assert isinstance(parts, tuple)
    return next((each.state for each in parts if each.name == name), None)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"serve": {"host": "0.0.0.0"}}, "--certificate"),
        ({"serve": {"key": "/none.pem"}}, "--certificate FILE too"),
        ({"serve": {"names": ("https://triage.clinic.example/",)}}, "without https://"),
        ({"serve": {"names": ("triage.clinic.example:8080",)}}, "without a port"),
        ({"alert": {"score": 0.0}}, "more than 0"),
        ({"alert": {"score": 95.0, "mail_to": "a@b\nBcc: c@d"}}, "NAME@HOST"),
        ({"alert": {"score": 95.0, "mail_to": "a@b", "mail_from": "a@b@c"}}, "NAME@HOST"),
        ({"alert": {"score": 95.0, "mail_to": "a@"}}, "NAME@HOST"),
        ({"alert": {"score": 95.0, "mail_to": "a@["}}, "NAME@HOST"),
        ({"alert": {"score": 95.0, "mail_to": "a@b", "mail_server": "host:x"}}, "HOST:PORT"),
    ],
)
def test_what_readers_cannot_be_given_is_refused_before_anything_starts(
    tables: dict[str, dict[str, object]], said: str
) -> None:
    clinic = Clinic.model_validate({"out": "/srv/out", "watch": {"folders": ("/srv/in",)}, **tables})
    with pytest.raises(UsageError, match=said):
        Readers.of(clinic.out, clinic.serve, clinic.alert).check()

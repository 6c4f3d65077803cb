"""TLS in both directions with DCMTK: films from an X-ray machine, results to an archive, and nobody else."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from certificates import certificate, needs_openssl
from dicom_archives import free_port, needs_dcmtk, storescp
from dicom_nights import STORESCU, Clinic
from model_folders import write_model_folder
from processes import PATIENCE, wait_until
from study_films import study_film


def tls(name: str, trusts: str) -> list[str]:
    """DCMTK's options: our certificate, and whom we trust."""
    return ["+tls", f"{name}.key", f"{name}.crt", "+cf", f"{trusts}.crt"]


@pytest.mark.peers
@needs_dcmtk
@needs_openssl
def test_with_tls_both_ways_only_those_with_a_certificate_of_the_clinic_send_and_receive(
    tmp_path: Path,
) -> None:
    write_model_folder(tmp_path / "model")
    for name, signer in (("clinic", None), ("localhost", "clinic"), ("xray", "clinic"), ("stranger", None)):
        certificate(tmp_path, name, signer)
    certificate(tmp_path, "old", "clinic", days=-1)
    clinic, archive = Clinic(tmp_path, free_port()), free_port()
    for number in range(2):
        film = study_film(number, SOPInstanceUID=f"2.25.47.{number}")
        (tmp_path / f"{number}.dcm").write_bytes(film)

    def sends(number: int, *options: str) -> bool:
        command = [STORESCU, *options, "-aec", "CXR-TRIAGE", "127.0.0.1", str(clinic.port), f"{number}.dcm"]
        return (
            subprocess.run(
                command, cwd=tmp_path, capture_output=True, check=False, timeout=PATIENCE
            ).returncode
            == 0
        )

    own = ("--tls-cert", "localhost.crt", "--tls-key", "localhost.key", "--tls-client-ca", "clinic.crt")
    to = ("--to", f"PACS@localhost:{archive}", "--identity", "none", "--tls-ca", "clinic.crt")
    archive_tls = [str(tmp_path / part) if "." in part else part for part in tls("localhost", "clinic")]
    with storescp(tmp_path / "pacs", archive, *archive_tls), clinic.listening(*own, *to) as service:
        wait_until(lambda: sends(0, *tls("xray", "clinic")), clinic.said)
        for options in ([], ["+tla", "-ic"], tls("stranger", "clinic"), tls("old", "clinic")):
            assert not sends(1, *options), options
        assert not sends(1, *tls("xray", "stranger"))  # who does not trust us sends us nothing
        wait_until(lambda: len(list((tmp_path / "pacs").iterdir())) == 3, clinic.said)
        os.killpg(service.pid, signal.SIGTERM)
        assert service.wait(timeout=PATIENCE) == 0, clinic.said()
    assert (clinic.rows(), clinic.received()) == (1, 1)
    assert {line["reason"] for line in clinic.noted("refused")} == {"tls"}

"""How much is kept of a patient, and where the key of pseudonyms lies."""

import stat
import sys
from dataclasses import astuple
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.folders import DATA_VARIABLE, KEYS_FOLDER
from cxr_runtime.identity import Identity, IdentityKind
from cxr_runtime.pseudonyms import KEY_NAME, Keeping

STATED = Identity("PID-1", "Doe, Jane", "1961-02-03", "2026-03-04", "ACC-1", "1.2", "1.3", "1.4", "NORTH")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


def test_nothing_or_everything_is_kept() -> None:
    assert Keeping.of(IdentityKind.NONE).keep(STATED) is None
    assert Keeping.of(IdentityKind.FULL).keep(STATED) == STATED


def test_a_pseudonym_is_the_same_for_the_same_patient_and_says_nothing_else(data: Path) -> None:
    keeping = Keeping.of(IdentityKind.PSEUDONYM)
    kept, again = keeping.keep(STATED), Keeping.of(IdentityKind.PSEUDONYM).keep(STATED)
    assert kept is not None
    assert kept == again
    assert (kept.name, kept.born, kept.studied, kept.series) == ("", "", "", "")
    assert not set(astuple(kept)) & set(astuple(STATED))
    other = keeping.keep(Identity(patient="PID-2"))
    assert other is not None
    assert other.patient != kept.patient
    assert other.accession == ""


def test_the_same_id_of_two_issuers_has_two_pseudonyms() -> None:
    keeping = Keeping.of(IdentityKind.PSEUDONYM)
    kept = [keeping.keep(Identity("1001", issuer=issuer)) for issuer in ("", "NORTH", "SOUTH", "NORTH")]
    found = [one.patient for one in kept if one is not None]
    assert len(set(found)) == 3
    assert found[1] == found[3]
    assert all(one is not None and one.issuer == "" for one in kept)
    nobody = keeping.keep(Identity("", issuer="NORTH"))
    assert nobody == Identity()


def test_the_key_is_for_its_owner_alone_and_in_none_of_the_outputs(data: Path) -> None:
    Keeping.of(IdentityKind.FULL)
    assert not data.exists()
    Keeping.of(IdentityKind.PSEUDONYM)
    if sys.platform != "win32":
        assert stat.S_IMODE((data / KEYS_FOLDER / KEY_NAME).stat().st_mode) == 0o600
        assert stat.S_IMODE((data / KEYS_FOLDER).stat().st_mode) == 0o700


def test_another_key_gives_other_pseudonyms_under_another_label(data: Path) -> None:
    first = Keeping.of(IdentityKind.PSEUDONYM)
    (data / KEYS_FOLDER / KEY_NAME).unlink()
    second = Keeping.of(IdentityKind.PSEUDONYM)
    assert first.keep(STATED) != second.keep(STATED)
    assert first.label != second.label


def test_a_key_that_cannot_be_kept_is_one_line(data: Path) -> None:
    data.write_text("in the way")
    with pytest.raises(StoreError, match=r"^the key of the pseudonyms cannot be read or kept"):
        Keeping.of(IdentityKind.PSEUDONYM)

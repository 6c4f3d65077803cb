"""What lies in a bundle beside its wheels: licences, the list of parts (SBOM), and digests."""

import json
import re
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesParser
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from email.message import Message
    from importlib.metadata import PackageMetadata

# Licences that ask for the source of the whole program, or of what is served with it.
REFUSED = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|GNU (Affero )?General Public License)", re.IGNORECASE)
_TEXTS = re.compile(
    r"(?:.*/)?(?:licen[cs]es?/.*|(?:licen[cs]e|copying|notice|copyright)[^/]*)", re.IGNORECASE
)
_CYCLONEDX = "1.6"


@dataclass(frozen=True)
class Part:
    """A wheel, and what it says of itself."""

    file: Path
    name: str
    version: str
    licence: str  # an SPDX expression, or its own words; "" where it says nothing
    sha256: str

    @property
    def purl(self) -> str:
        """Package URL (purl-spec, type pypi)."""
        return f"pkg:pypi/{self.name.lower().replace('_', '-')}@{self.version}"


def part_of(wheel: Path) -> Part:
    """Read what a wheel says of itself (core metadata 2.4)."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one)]
        stated = BytesParser().parsebytes(archive.read(name))
    licence = licence_of(stated)
    digest = sha256(wheel.read_bytes()).hexdigest()
    return Part(wheel, str(stated["Name"]), str(stated["Version"]), licence, digest)


def licence_of(stated: "Message | PackageMetadata") -> str:
    """The licence that core metadata states: an expression, classifiers, or the first line of its words."""
    classified = [one for one in stated.get_all("Classifier") or () if one.startswith("License ::")]
    named = "; ".join(one.rpartition(":: ")[2] for one in classified)
    (words,) = stated.get_all("License") or ("",)
    (expression,) = stated.get_all("License-Expression") or ("",)
    return str(expression or named or words.strip().partition("\n")[0])


def licence_texts(part: Part, out: Path) -> None:
    """Write the licence texts that lie in a wheel, each below a folder of the package."""
    with zipfile.ZipFile(part.file) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name)
            if name.endswith("/") or not _TEXTS.fullmatch(name) or path.suffix in (".py", ".so", ".pyd"):
                continue
            target = out / part.name / "-".join(path.parts[-2:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))


def bill_of_materials(own: Part, others: Iterable[Part], moment: int) -> str:
    """The parts as CycloneDX JSON (ECMA-424); the same parts give the same text."""
    listed = [_component(part) for part in others]
    content = json.dumps(listed, sort_keys=True)
    stated = {
        "bomFormat": "CycloneDX",
        "specVersion": _CYCLONEDX,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own.purl + content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {**_component(own), "type": "application"},
        },
        "components": listed,
        "dependencies": [{"ref": own.purl, "dependsOn": [one["bom-ref"] for one in listed]}],
    }
    return json.dumps(stated, indent=1) + "\n"


def _component(part: Part) -> dict[str, Any]:
    licence = {"licenses": [{"license": {"name": part.licence}}]} if part.licence else {}
    return {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "hashes": [{"alg": "SHA-256", "content": part.sha256}],
        **licence,
    }


def requirements(parts: Iterable[Part]) -> str:
    """What pip is to install, and with which digests alone."""
    return "".join(f"{part.name}=={part.version} --hash=sha256:{part.sha256}\n" for part in parts)


def digests(folder: Path) -> str:
    """Every file below a folder with its digest, as `sha256sum -c` reads it."""
    return "".join(
        f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in _files(folder)
    )


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())

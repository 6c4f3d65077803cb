"""Codecs and fonts: what films can be read, and what names can be printed."""

from cxr_runtime.doctor.finding import Finding, State
from cxr_runtime.reading.dicom.syntaxes import syntax_support
from cxr_runtime.reports.pdf.installed_fonts import font_for

# One character of each script that the report's own font does not have.
SCRIPTS = {"Chinese": "中", "Japanese": "か", "Korean": "한", "Hindi": "ह", "Arabic": "ع", "Thai": "ท"}


def check_codecs() -> Finding:
    """Every DICOM transfer syntax: read or not."""
    support = syntax_support()
    details = tuple((found.uid, f"{'yes' if found.available else 'no'}: {found.name}") for found in support)
    read = [found for found in support if found.available]
    unread = [found.name for found in support if not found.available and not found.decoder]
    lacking = [
        f"{found.name} ({found.decoder})" for found in support if found.decoder and not found.available
    ]
    told = f"{len(read)} DICOM transfer syntaxes read; not read: {', '.join([*lacking, *unread]) or 'none'}"
    return Finding("codecs", State.WARNING if lacking else State.OK, told, details)


def check_fonts() -> Finding:
    """Scripts that the report can print beyond its own font."""
    found = {script: font_for(character) for script, character in SCRIPTS.items()}
    details = tuple((script, font.path.name if font else "") for script, font in found.items())
    missing = [script for script, font in found.items() if font is None]
    if missing:
        return Finding(
            "fonts", State.ABSENT, f"none for {', '.join(missing)}: such names are spelt out in code", details
        )
    return Finding("fonts", State.OK, f"for all of {', '.join(found)}", details)

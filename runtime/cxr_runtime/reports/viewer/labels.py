"""Every word of the viewer, by the name under which its script asks for it."""

from collections.abc import Mapping
from types import MappingProxyType

from cxr_runtime.language import later

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "tools": later("Tools for the film"),
        "stage": later("Film"),
        "previous": later("Previous film"),
        "next": later("Next film"),
        "fit": later("Whole film"),
        "actual": later("One pixel of the film on one of the screen"),
        "fitOrActual": later("Whole film, or one pixel on one of the screen"),
        "zoomIn": later("Larger"),
        "zoomOut": later("Smaller"),
        "zoom": later("Larger, smaller"),
        "move": later("Drag: move the film"),
        "tone": later("Drag: brightness and contrast"),
        "lens": later("Magnifier"),
        "length": later("Measure a distance"),
        "lengthByKeys": later("Ruler by keys: a cross that arrows move, then a line's beginning and end"),
        "noLength": later("Distances are not known for this film"),
        "preset": later("Grey values"),
        "usualWindow": later("Usual"),
        "lungWindow": later("Lung"),
        "boneWindow": later("Bone"),
        "ownWindow": later("Own"),
        "nextWindow": later("Grey values: usual, lung, bone"),
        "invert": later("Black for white"),
        "brightness": later("Brighter, darker"),
        "contrast": later("More contrast, less contrast"),
        "rotate": later("Turn to the right"),
        "flip": later("Mirror"),
        "sideBySide": later("Side by side: without and with heat, and an earlier film"),
        "reset": later("As it was opened"),
        "heat": later("Heat"),
        "heatOpacity": later("Opacity of the heat map in per cent"),
        "heatOnOff": later("Heat on or off"),
        "outlines": later("Lung outline"),
        "whole": later("Full window"),
        "help": later("Keys and mouse"),
        "moveByKeys": later("With any arrow: move over the film"),
        "film": later("Film"),
        "withHeat": later("With heat"),
        "opening": later("The film is being opened …"),
        "unreadable": later("This film cannot be shown here."),
        "again": later("Try again"),
        "millimetres": later("{} mm"),
        "reading": later("Zoom {zoom} % · centre {center}, width {width}"),
        "keys": later("Keys and mouse"),
        "singleKeys": later("Single letters are keys"),
        "close": later("Close"),
        "mouse": later(
            "Wheel or two fingers: zoom. Drag: what the chosen tool does. Drag with the right button: "
            "brightness (up and down) and contrast (left and right). Double click: whole film, or one pixel "
            "on one of the screen."
        ),
        "ArrowDown": "↓",
        "ArrowUp": "↑",
        "ArrowLeft": "←",
        "ArrowRight": "→",
        "PageDown": "Page ↓",
        "PageUp": "Page ↑",
        "Shift+ArrowUp": "Shift ↑",
        "Escape": "Esc",
    }
)

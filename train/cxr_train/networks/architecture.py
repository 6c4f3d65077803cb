"""What a network is built from: the part of a run's configuration that decides the shape of the weights."""

from dataclasses import dataclass

from cxr_runtime.errors import UsageError

FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)  # the 14 findings of NIH ChestX-ray14, spelt as its table spells them


@dataclass(frozen=True)
class Architecture:
    """A network's name and shape; a field left None is as the network itself has it."""

    network: str = "custom"
    input_hw: tuple[int, int] = (227, 227)  # rows and columns of the input
    filters: tuple[int, ...] | None = None  # of conv1..conv5 (custom, edge)
    kernel: int | None = None  # side of conv1's filters (custom, edge)
    head: tuple[int, ...] | None = None  # widths of the hidden fully connected layers (custom)
    dropout: float | None = None  # before each fully connected layer
    pool: str | None = None  # how cells become logits: `average`, or (squeezenet) as in evidence.py
    heads: tuple[str, ...] = ()  # training heads, by their names in heads.py

    def refuse_shape(self, *fields: str) -> None:
        """Raise UsageError where a field is set that this network cannot change."""
        for name in fields:
            if getattr(self, name) is not None:
                raise UsageError(
                    f"{name} = {getattr(self, name)!r} cannot be chosen for {self.network}, whose layout is "
                    "fixed by its published weights; leave it out, or train `custom` or `edge`"
                )

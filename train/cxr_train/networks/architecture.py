"""What a network is built from: the part of a run's configuration that decides the shape of the weights."""

from dataclasses import dataclass

from cxr_runtime.errors import UsageError

CONVOLUTIONS = 5  # conv1..conv5 of the paper's kind of network (paper, II.B)


@dataclass(frozen=True)
class Architecture:
    """A network's name and shape; a field left None is as the network itself has it."""

    network: str = "custom"
    input_hw: tuple[int, int] = (227, 227)  # rows and columns of the input
    filters: tuple[int, ...] | None = None  # of conv1..conv5 (custom, edge)
    kernel: int | None = None  # side of conv1's filters (custom, edge)
    head: tuple[int, ...] | None = None  # widths of the hidden fully connected layers (custom)
    dropout: float | None = None  # before each fully connected layer
    pool: str | None = None  # how cells become logits: `average`, or (squeezenet, lite) as in evidence.py
    heads: tuple[str, ...] = ()  # training heads, by their names in heads.py

    def __post_init__(self) -> None:
        """Raise UsageError where a number is none that a network can have."""
        if self.filters is not None and (len(self.filters) != CONVOLUTIONS or min(self.filters) < 1):
            raise UsageError(
                f"architecture.filters is {list(self.filters)}; expected {CONVOLUTIONS} numbers of 1 or "
                "more, one each for conv1..conv5"
            )
        if self.kernel is not None and self.kernel < 1:
            raise UsageError(f"architecture.kernel is {self.kernel}; expected 1 or more")
        if self.head is not None and min(self.head, default=1) < 1:
            raise UsageError(f"architecture.head is {list(self.head)}; expected widths of 1 or more")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise UsageError(f"architecture.dropout is {self.dropout}; expected 0 or more, and less than 1")

    def refuse_shape(self, *fields: str) -> None:
        """Raise UsageError where a field is set that this network cannot change."""
        for name in fields:
            if getattr(self, name) is not None:
                raise UsageError(
                    f"{name} = {getattr(self, name)!r} cannot be chosen for {self.network}, whose layout is "
                    "fixed by its published weights; leave it out, or train `custom` or `edge`"
                )

"""Which tensor of a network is its last feature map: one rule, for PyTorch and ONNX alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cxr_runtime.errors import ModelError

LEAST_CELLS = 2  # along each axis; a map of one row is no map
SAME_PROPORTIONS = 0.34  # how far rows of a map may be from the input's proportions, as a share


@dataclass(frozen=True)
class Step:
    """One operation of a network, in an order in which all can be computed."""

    name: str  # of its result
    takes: tuple[str, ...]  # names of the results that it needs
    shape: tuple[int, ...] | None  # of its result, the batch first; None: not known, or not a tensor
    pools: bool  # it only averages, picks, reshapes or passes on what it takes
    attends: bool = False  # it lets all cells look at all others


@dataclass(frozen=True)
class FeatureMap:
    """The last feature map of a network."""

    name: str  # of the step that gives it
    channels_last: bool  # (B, h, w, C) instead of (B, C, h, w)
    channels: int
    cells_hw: tuple[int, int]


def is_row(shape: tuple[int, ...] | None) -> bool:
    """Whether a result is (B, K), in which no cells can look at each other: a softmax makes shares of it."""
    return shape is not None and len(shape) == 2


def last_feature_map(steps: Sequence[Step], image: str, output: str, input_hw: tuple[int, int]) -> FeatureMap:
    """Find the last map of cells that all of the output comes from, before any pooling.

    It is what comes out of the last layer with its normalisation and activation, not of the last convolution:
    of all steps that every way from the image to the output leads through, the last one that gives cells with
    channels and is not itself a pooling.

    Args:
        steps: of the whole network.
        image: name of the input.
        output: name of the result.
        input_hw: rows and columns of the input.

    Raises:
        ModelError: there is none, as in vision transformers.
    """
    narrow = _narrow_places(steps, image, output)
    for place in reversed(range(len(narrow))):
        step = narrow[place]
        found = None if step.pools else _as_map(step, input_hw)
        if found is None:
            continue
        after = _after(steps, step.name)
        mixing = next((later.name for later in after if later.attends), None)
        if mixing is not None:
            raise ModelError(
                f"this network attends from all cells to all others ({mixing}) after its last map of cells, "
                f"{step.name}: a heat map would not show where it looked; expected a network of convolutions"
            )
        return found
    raise ModelError(
        "no step of this network gives cells with channels that all of its output comes from; expected a "
        "network of convolutions that pools a feature map, or name the map with --feature-map"
    )


def named_feature_map(steps: Sequence[Step], name: str, input_hw: tuple[int, int]) -> FeatureMap:
    """The map that a user names.

    Raises:
        ModelError: there is no step of that name, or it gives no map.
    """
    found = next((step for step in steps if step.name == name), None)
    at = None if found is None else _as_map(found, input_hw)
    if at is None:
        maps = [step.name for step in steps if _as_map(step, input_hw)][-5:]
        what = "is not there" if found is None else f"has the shape {found.shape}"
        raise ModelError(
            f"feature map {name} {what}; expected one of the network's maps, e.g. {', '.join(maps)}"
        )
    return at


def _narrow_places(steps: Sequence[Step], image: str, output: str) -> list[Step]:
    """Steps that every way from the image to the output leads through, in order."""
    by_name = {step.name: step for step in steps}
    leads = _ancestors(by_name, output)
    reached, relevant = {image}, []
    for step in steps:
        if step.name in leads and reached.intersection(step.takes):
            reached.add(step.name)
            relevant.append(step)
    last_use = {image: -1}
    for place, step in enumerate(relevant):
        last_use |= {name: place for name in step.takes if name in reached}
    last_use[output] = len(relevant)
    narrow, open_until = [], last_use[image]
    for place, step in enumerate(relevant):
        if open_until <= place:
            narrow.append(step)
        open_until = max(open_until, last_use[step.name])
    return narrow


def _ancestors(by_name: Mapping[str, Step], output: str) -> set[str]:
    found, waiting = set(), [output]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found.add(name)
            waiting.extend(by_name[name].takes)
    return found


def _after(steps: Sequence[Step], name: str) -> Iterator[Step]:
    """All steps that depend on one."""
    reached = {name}
    for step in steps:
        if reached.intersection(step.takes):
            reached.add(step.name)
            yield step


def _as_map(step: Step, input_hw: tuple[int, int]) -> FeatureMap | None:
    """What a step gives as cells with channels, if that is what it gives."""
    if step.shape is None or len(step.shape) != 4:
        return None
    _, second, third, fourth = step.shape
    for hw, channels, last in (((third, fourth), second, False), ((second, third), fourth, True)):
        if min(hw) >= LEAST_CELLS and _proportional(hw, input_hw):
            return FeatureMap(step.name, last, channels, hw)
    return None


def _proportional(hw: tuple[int, int], input_hw: tuple[int, int]) -> bool:
    """Whether cells can lie evenly over the input."""
    down, across = input_hw[0] / hw[0], input_hw[1] / hw[1]
    return min(down, across) >= 1 and abs(down / across - 1) <= SAME_PROPORTIONS

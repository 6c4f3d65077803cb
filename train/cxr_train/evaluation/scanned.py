"""What a scan's store says of films, against what is known of them: regions in words, and similar films."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from cxr_calibration.statistics.intervals import percent, percent_interval, wilson
from cxr_runtime.errors import UsageError
from cxr_runtime.heat.zones import Region, heat_regions, regions_at
from cxr_runtime.placement import Outline
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import one
from cxr_runtime.store.similar import SimilarFilms
from cxr_train.data import DrawnBox, TrainingFilm

NEAR = 5  # similar films of each
POINTS = 16  # a side, at which a box is looked at
ONE_LUNG = 0.9  # of a film's boxes: then they count as being in one lung
LEAST = 0.1  # of the boxes in a region that they reach


def regions_table(scan: Path, films: Sequence[TrainingFilm]) -> str:
    """How often the region that is named first lies where radiologists drew boxes.

    Args:
        scan: output folder.
        films: of which some have boxes that lie in one lung alone.

    Raises:
        UsageError: the scan has no such film with heat.
        StoreError: the folder holds no store.
    """
    in_lung, in_region, without = list[bool](), list[bool](), 0
    with Desk.to_read(scan) as desk:
        run = desk.latest_facts()
        for film, digest in _with_digests(film for film in films if film.boxes):
            listed = one(desk, digest)
            picture = None if listed is None else desk.picture(listed.result)
            if run is None or picture is None or picture.heat_cells is None:
                continue
            side, reached = _of_boxes(film.boxes, picture.lung_outlines)
            if not side:
                continue
            named = heat_regions(picture.heat_cells, picture.placement, run.heat, picture.lung_outlines)
            without += not named
            in_lung.append(bool(named) and _side(named[0]) == side)
            in_region.append(bool(named) and named[0] in reached)
    if not in_lung:
        raise UsageError("the scan has no film with heat whose boxes lie in one lung; give films with boxes")
    return (
        f"{len(in_lung)} films whose boxes lie in one lung; {without} of them without heat in words\n"
        f"the region named first lies in that lung: {_share(in_lung)}\n"
        f"the boxes reach into that region: {_share(in_region)}"
    )


def similar_table(scan: Path, films: Sequence[TrainingFilm]) -> str:
    """How often the most similar films of other patients have the same label.

    Args:
        scan: output folder.
        films: with labels.

    Raises:
        UsageError: the scan has not both labels with features.
        StoreError: the folder holds no store.
    """
    known = {digest: film for film, digest in _with_digests(films) if film.label is not None}
    of_patient = defaultdict[str, set[str]](set)
    for digest, film in known.items():
        of_patient[film.patient].add(digest)
    same, labels, index = list[bool](), list[float](), SimilarFilms()
    with Desk.to_read(scan) as desk:
        for digest, film in known.items():
            listed, own = one(desk, digest), frozenset(of_patient[film.patient])
            near = [] if listed is None else index.of(desk, listed, NEAR, own)
            found = [known[each.film.outcome.sha256] for each in near if each.film.outcome.sha256 in known]
            same += [other.label == film.label for other in found]
            labels += [float(film.label or 0)] * bool(found)
    if len(set(labels)) < 2:
        raise UsageError("the scan has not both labels with features; scan the films anew with --force")
    abnormal = float(np.mean(labels))
    chance = abnormal**2 + (1 - abnormal) ** 2
    return (
        f"{len(labels)} films, {percent(abnormal)} of them abnormal\n"
        f"the {NEAR} most similar films of other patients have the same label: {_share(same)}\n"
        f"any films would by chance: {percent(chance)}"
    )


def _with_digests(films: Iterable[TrainingFilm]) -> Iterator[tuple[TrainingFilm, str]]:
    """Films with the sha256 of their bytes, by which a store knows them."""
    return ((film, sha256(film.path.read_bytes()).hexdigest()) for film in films)


def _of_boxes(boxes: Sequence[DrawnBox], outlines: Sequence[Outline]) -> tuple[str, set[Region]]:
    """The lung in which a film's boxes lie, "" where it is not one alone; and the regions that they reach."""
    inside = (np.arange(POINTS) + 0.5) / POINTS
    places = list[Region]()
    for box in boxes:
        x0, y0, x1, y1 = box.share_xyxy
        x, y = (axis.ravel() for axis in np.meshgrid(x0 + inside * (x1 - x0), y0 + inside * (y1 - y0)))
        places += regions_at(x, y, outlines) if box.by_radiologist else ()
    counts, sides = Counter(places), Counter(map(_side, places))
    side, most = next(iter(sides.most_common(1)), ("", 0))
    reached = {region for region, count in counts.items() if count >= LEAST * len(places)}
    return (side if most >= ONE_LUNG * len(places) else ""), reached


def _side(region: Region) -> str:
    """`right` or `left` lung of the patient, "" where it is neither."""
    side = region.value.partition("-")[0]
    return side if side in ("right", "left") else ""


def _share(held: Sequence[bool]) -> str:
    return f"{sum(held)} of {len(held)}, {percent_interval(wilson(sum(held), len(held)))}"

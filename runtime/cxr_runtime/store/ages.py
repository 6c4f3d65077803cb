"""When films were scored, also where a clock was set back: no earlier than those that came before them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from cxr_runtime.store.rows import time_of

AGES = (  # of every result the time of its row, its first and its latest place, and the run of the first
    "SELECT results.id, sha256, finished, coalesce(at.first, 0), coalesce(at.latest, 0),"
    " coalesce(origin, ''), coalesce(ended, '') FROM results"
    " LEFT JOIN (SELECT result, min(run << 32 | position) AS first, max(run << 32 | position) AS latest"
    " FROM places GROUP BY result) AS at ON at.result = results.id"
    " LEFT JOIN runs ON runs.id = at.first >> 32"
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Scored(NamedTuple):
    """One result."""

    sha256: str
    when: datetime  # its row says so, or the clock had shown this before


def ages(rows: Iterable[tuple[int, str, str, int, int, str, str]], now: datetime) -> dict[int, Scored]:
    """When films were scored, by the id of the result.

    A clock that was set back shows times that it had shown before. So a film is as young as the youngest that
    was listed before it in the same store. A film that was scored again after the run that found it says
    nothing of those which came between: it counts where it is listed last.

    Args:
        rows: of AGES.
        now: what the clock shows; a time after it says nothing of other films.
    """
    films, seen = list(rows), defaultdict[str, list[tuple[int, datetime]]](list)
    times = {result: time_of(finished) for result, _, finished, *_ in films}
    for result, _, _, first, latest, origin, ended in films:
        if times[result] > now:
            continue
        is_scored_again = bool(ended) and times[result] > time_of(ended)
        seen[origin].append((latest if is_scored_again else first, times[result]))
    for waiting in seen.values():
        waiting.sort(reverse=True)
    reached, found = defaultdict[str, datetime](lambda: _LONG_AGO), dict[int, Scored]()
    for result, sha256, _, first, _, origin, _ in sorted(films, key=lambda film: film[3]):
        while seen[origin] and seen[origin][-1][0] < first:
            reached[origin] = max(reached[origin], seen[origin].pop()[1])
        found[result] = Scored(sha256, max(times[result], reached[origin]))
    return found

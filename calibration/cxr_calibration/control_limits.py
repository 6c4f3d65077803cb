"""Control limits of a share: between which values a night does not alarm."""

from bisect import bisect_left

from cxr_calibration.checks import Check, share_check


def share_limits(check: Check, level: float) -> tuple[float, float]:
    """The least and greatest share that a night of so many films may have without an alarm.

    Args:
        check: a comparison of shares, from `share_check`.
        level: p-value below which it alarms.

    Returns:
        (low, high), 0..1.
    """
    films, of = check.films, check.reference_films
    usual = round(check.expected * films)

    def is_quiet(found: int) -> bool:
        return not share_check(check.name, found, films, round(check.expected * of), of).alarms(level)

    low = bisect_left(range(usual + 1), True, key=is_quiet)
    high = films - bisect_left(range(films - usual + 1), True, key=lambda fewer: is_quiet(films - fewer))
    return low / films, high / films

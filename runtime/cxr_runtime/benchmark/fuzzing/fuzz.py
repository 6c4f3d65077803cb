"""Changed inputs for every reader in turn, until one does what is not documented.

An input follows from the target's name, a seed and its number alone.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import MappingProxyType

from cxr_runtime.benchmark.fuzzing.targets import TARGETS, Target
from cxr_runtime.benchmark.fuzzing.trying import Finding, Tried, input_of, try_all
from cxr_runtime.errors import UsageError
from cxr_runtime.markdown import markdown_table
from cxr_runtime.progress import Progress

AT_ONCE = 1000  # inputs of one target before the next one's turn
USUAL_INPUTS = 100  # of each target, where neither inputs nor minutes are stated


@dataclass(frozen=True)
class FuzzOptions:
    """What to try, and how long."""

    targets: Sequence[str] = ()  # names of TARGETS; empty: all
    inputs: int | None = USUAL_INPUTS  # of each target; None: no end but that of time
    minutes: float | None = None  # wall time of all; None: no end but that of inputs
    seed: int = 1
    save: Path | None = None  # folder for the first input of each finding


@dataclass
class TargetCount:
    """What became of the inputs of one target."""

    inputs: int = 0
    refused: int = 0  # in a documented way; the others were read
    slowest: float = 0.0  # seconds of processor time
    megabytes: int = 0  # at most, the libraries included


@dataclass(frozen=True)
class Fuzzed:
    """What a fuzzer found."""

    counts: dict[str, TargetCount]  # by target
    findings: tuple[Finding, ...]  # the first of each place
    times: Counter[str]  # inputs by place


def fuzz(
    options: FuzzOptions, progress: Progress, targets: Mapping[str, Target] = MappingProxyType(TARGETS)
) -> Fuzzed:
    """Try changed inputs on every target in turn.

    Args:
        options: what to try, and how long.
        progress: told of every AT_ONCE inputs.
        targets: by name; they can be pickled.

    Raises:
        UsageError: there is no target of that name.
    """
    names = list(options.targets or targets)
    for name in names:
        if name not in targets:
            raise UsageError(f"there is no target {name!r}; choose of: {'; '.join(targets)}")
    counts, firsts, times = {name: TargetCount() for name in names}, dict[str, Finding](), Counter[str]()
    progress.begin("fuzzing", None)
    for name, numbers in _turns(names, options):
        for tried in try_all(name, targets[name], numbers, options.seed):
            _add(counts[name], tried)
            if tried.finding is not None:
                times[tried.finding.where] += 1
                if tried.finding.where not in firsts:
                    firsts[tried.finding.where] = tried.finding
                    progress.say(_line(tried.finding))
                    _save(tried.finding, targets[name], options)
        progress.advance()
    progress.end()
    return Fuzzed(counts, tuple(firsts.values()), times)


def fuzz_table(fuzzed: Fuzzed) -> str:
    """The counts, and then the findings, as tables in markdown."""
    rows = [
        (name, f"{one.inputs}", f"{one.refused}", f"{one.slowest:.1f}", f"{one.megabytes}")
        for name, one in fuzzed.counts.items()
    ]
    total = sum(one.inputs for one in fuzzed.counts.values())
    rows.append(("**all**", f"{total}", f"{sum(one.refused for one in fuzzed.counts.values())}", "", ""))
    head = ("target", "inputs", "refused", "slowest, s", "memory, MB")
    tables = [markdown_table(head, rows, "lrrrr"), f"{len(fuzzed.findings)} findings"]
    if fuzzed.findings:
        found = [
            (one.target, f"{one.number}", one.digest[:12], f"{fuzzed.times[one.where]}", one.told)
            for one in fuzzed.findings
        ]
        tables.append(markdown_table(("target", "number", "sha256", "inputs", "what"), found, "lrlrl"))
    return "\n\n".join(tables)


def _turns(names: Sequence[str], options: FuzzOptions) -> Iterator[tuple[str, range]]:
    """Which numbers of which target come next, until the inputs or the time are used up."""
    started = time.monotonic()
    for begin in count(0, AT_ONCE):
        end = begin + AT_ONCE if options.inputs is None else min(begin + AT_ONCE, options.inputs)
        if end <= begin:
            return
        for name in names:
            if options.minutes is not None and time.monotonic() - started > 60 * options.minutes:
                return
            yield name, range(begin, end)


def _add(counted: TargetCount, tried: Tried) -> None:
    counted.inputs += 1
    counted.refused += tried.refused
    counted.slowest = max(counted.slowest, tried.seconds)
    counted.megabytes = max(counted.megabytes, tried.megabytes)


def _line(found: Finding) -> str:
    return f"finding: {found.target}, number {found.number}, sha256 {found.digest[:12]}: {found.told}"


def _save(found: Finding, target: Target, options: FuzzOptions) -> None:
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
        name = "".join(letter if letter.isalnum() else "-" for letter in found.target)
        content = input_of(found.target, target, found.number, options.seed)
        (options.save / f"{name}-{found.number}-{found.digest[:12]}.bin").write_bytes(content)

"""Every reader refuses changed inputs as it documents, and the fuzzer notices where one does not."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

import bad_readers
from cxr_runtime.benchmark.fuzzing import trying
from cxr_runtime.benchmark.fuzzing.fuzz import AT_ONCE, FuzzOptions, fuzz, fuzz_table
from cxr_runtime.benchmark.fuzzing.mutations import CHANGES, mutated, with_right_sums
from cxr_runtime.benchmark.fuzzing.targets import TARGETS, Target
from cxr_runtime.benchmark.fuzzing.trying import input_of
from cxr_runtime.errors import UsageError
from cxr_runtime.progress import Silence
from film_files import phantom, png_file

INPUTS = 700  # of each target: about a minute in all; `cxr-triage lab fuzz --minutes 120` tries more
GROUPS = 4  # of targets, each a test


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_reader_refuses_changed_inputs_as_it_documents(group: int) -> None:
    found = fuzz(FuzzOptions(list(TARGETS)[group::GROUPS], INPUTS), Silence())
    assert {one.inputs for one in found.counts.values()} == {INPUTS}
    assert found.findings == ()


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_sound(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path / "cache"))
    target = TARGETS[name]
    for content in target.seeds():
        target.read(content, tmp_path)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_the_same_for_the_same_random_numbers(
    change: Callable[[bytearray, Sequence[bytes], Random], None],
) -> None:
    seeds = [bytes(range(256)) * 8, b'{"threshold": 0.5, "met": true}', b""]
    for seed in seeds:
        one, other = bytearray(seed), bytearray(seed)
        change(one, seeds, Random(3))
        change(other, seeds, Random(3))
        assert one == other
    assert mutated(seeds, Random(4)) == mutated(seeds, Random(4))


def test_an_input_follows_from_its_target_seed_and_number() -> None:
    target = TARGETS["PNG"]
    inputs = {input_of("PNG", target, number, seed) for number in (1, 2) for seed in (1, 2)}
    assert len(inputs) == 4
    assert input_of("PNG", target, 1, 1) in inputs


def test_a_changed_png_has_right_checksums_again() -> None:
    sound = png_file(phantom())
    assert with_right_sums(sound) == sound
    changed = bytearray(sound)
    changed[30] ^= 1  # a checksum
    assert with_right_sums(bytes(changed)) == sound
    assert with_right_sums(b"no picture") == b"no picture"


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (bad_readers.crash, "its process ended by SIGABRT"),
        (bad_readers.hang, "it took longer than 2 s"),
        (bad_readers.grow, "the file is damaged"),
        (bad_readers.blunder, "KeyError: 'Rows'"),
    ],
)
def test_a_crash_a_hang_a_lack_of_memory_and_a_strange_error_are_findings(
    read: Callable[[bytes, Path], None], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "SECONDS", 2.0)
    target = Target(bad_readers.seeds, read, (ValueError,), bad_readers.alternately)
    found = fuzz(FuzzOptions(inputs=4, save=tmp_path), Silence(), {"a reader": target})
    (finding,) = found.findings
    assert told in finding.told
    assert found.times[finding.where] == found.counts["a reader"].inputs - found.counts["a reader"].refused
    (saved,) = tmp_path.iterdir()
    assert sha256(saved.read_bytes()).hexdigest() == finding.digest
    assert f"| a reader | {finding.number} | {finding.digest[:12]} |" in fuzz_table(found)


def test_the_fuzzer_ends_when_its_time_is_over() -> None:
    target = Target(bad_readers.seeds, bad_readers.blunder, (), bad_readers.alternately)
    found = fuzz(FuzzOptions(inputs=None, minutes=0.0), Silence(), {"a reader": target})
    assert found.counts["a reader"].inputs <= AT_ONCE


def test_a_target_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="'GIF'; choose of: PNG; JPEG"):
        fuzz(FuzzOptions(["GIF"]), Silence())

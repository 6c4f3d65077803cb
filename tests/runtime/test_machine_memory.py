"""Workers get what the machine has, shared out; where it is short there are fewer of them."""

from pathlib import Path

import pytest

from cxr_runtime import machine_memory
from cxr_runtime.errors import UsageError
from cxr_runtime.machine_memory import GIB, Share, parse_size, share_out, usable_memory


@pytest.mark.parametrize(
    ("workers", "total", "expected"),
    [
        (8, None, Share(8, 4 * GIB)),
        (8, 64 * GIB, Share(8, 4 * GIB)),  # no more than 4 GiB each
        (8, 17 * GIB, Share(8, 2 * GIB)),
        (8, 8 * GIB, Share(7, GIB)),  # fewer, each of which can read a film
        (2, 5 * GIB, Share(2, 2 * GIB)),
        (2, 2 * GIB, Share(1, GIB)),
        (8, GIB // 2, Share(1, GIB)),  # the least that a film needs, whatever there is
    ],
)
def test_memory_is_shared_out(workers: int, total: int | None, expected: Share) -> None:
    assert share_out(workers, total) == expected


@pytest.mark.parametrize(
    ("text", "size"), [("8G", 8 * GIB), ("8g", 8 * GIB), ("2.5 GiB", 5 * GIB // 2), ("4096M", 4 * GIB)]
)
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "8X", "-8G", "8G8", "1G", "3", "1e9G"])
def test_what_is_not_a_size_or_too_little_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match=r"--memory .*expected"):
        parse_size(text)


def test_a_machine_knows_its_memory() -> None:
    found = usable_memory()
    assert found is not None
    assert found > GIB // 4


@pytest.mark.parametrize(
    ("groups", "files", "least"),
    [
        ("0::/\n", {"memory.max": "3000000000"}, 3_000_000_000),  # in a container
        ("0::/a/b\n", {"a/memory.max": "3000000000", "a/b/memory.max": "max"}, 3_000_000_000),
        ("0::/a/b\n", {"a/memory.max": "3000000000", "a/b/memory.max": "2000000000"}, 2_000_000_000),
        ("4:cpu:/\n9:memory:/x\n", {"memory/x/memory.limit_in_bytes": "2000000000"}, 2_000_000_000),
        ("9:cpu,memory:/x\n", {"memory/memory.limit_in_bytes": "1500000000"}, 1_500_000_000),
        ("9:memory:/\n", {"memory/memory.limit_in_bytes": str((1 << 63) - 4096)}, None),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/\n", {}, None),
        ("", {}, None),
        ("odd\n", {}, None),
    ],
)
def test_limits_of_control_groups_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, files: dict[str, str], least: int | None
) -> None:
    (tmp_path / "own").write_text(groups)
    for name, text in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text)
    monkeypatch.setattr(machine_memory, "_OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr(machine_memory, "_CGROUPS", tmp_path / "fs")
    monkeypatch.setattr(machine_memory, "_installed", lambda: None)
    assert usable_memory() == least


def test_without_control_groups_the_machine_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_memory, "_OWN_CGROUPS", tmp_path / "nowhere")
    monkeypatch.setattr(machine_memory, "_installed", lambda: 5 * GIB)
    assert usable_memory() == 5 * GIB

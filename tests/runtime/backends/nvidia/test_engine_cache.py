"""Compiled engines of this machine."""

import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from cxr_runtime.backends.nvidia.engine_cache import EngineCache, EngineKey
from cxr_runtime.errors import BackendError
from cxr_runtime.folders import cache_folder

KEY = EngineKey(
    model_sha256="a" * 64, network_sha256="b" * 64, compiler="tensorrt 10.16.1", gpu="NVIDIA T4",
    compute_capability="7.5", driver="580.82", cuda="13.0", system="Linux x86_64",
    options={"input_hw": [224, 224], "precision": "fp16"},
)  # fmt: skip
PLAN = b"an\nengine\x00" * 100


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path)


def test_an_engine_is_found_again_by_its_key_with_its_log_beside_it(cache: EngineCache) -> None:
    path = cache.keep(KEY, PLAN)
    cache.keep_log(KEY, "what the builder said")
    assert cache.find(KEY) == PLAN
    assert cache.keys() == [KEY]
    assert path.with_suffix(".log").read_text() == "what the builder said"


@pytest.mark.parametrize("name", [field.name for field in fields(EngineKey)])
def test_an_engine_of_any_other_model_machine_or_options_is_not_used(cache: EngineCache, name: str) -> None:
    cache.keep(KEY, PLAN)
    other = {"options": {"precision": "fp32"}}.get(name, "another")
    assert cache.find(EngineKey(**(asdict(KEY) | {name: other}))) is None


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_damaged_engine_is_not_used(cache: EngineCache, place: int) -> None:
    path = cache.keep(KEY, PLAN)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert cache.find(KEY) is None
    assert cache.keys() == []


@pytest.mark.parametrize("content", [b"", b"\n", b"no lines", PLAN])
def test_a_file_that_is_no_engine_is_not_used(cache: EngineCache, content: bytes) -> None:
    cache.keep(KEY, PLAN).write_bytes(content)
    assert cache.find(KEY) is None


def test_an_engine_copied_from_another_cache_is_not_trusted(cache: EngineCache, tmp_path: Path) -> None:
    other = EngineCache(tmp_path / "elsewhere")
    other.folder.mkdir()
    copied = other.keep(KEY, b"malicious")
    (cache.folder / copied.name).write_bytes(copied.read_bytes())
    assert cache.find(KEY) is None


def test_an_engine_renamed_to_another_key_is_not_used(cache: EngineCache) -> None:
    other = replace(KEY, gpu="NVIDIA H100")
    path = cache.keep(KEY, PLAN)
    path.rename(path.with_name(f"{other.name}.engine"))
    assert cache.find(other) is None


def test_timings_are_shared_by_the_engines_of_one_compiler_on_one_gpu(cache: EngineCache) -> None:
    assert cache.find_timings(KEY) == b""
    cache.keep_timings(KEY, b"timings")
    assert cache.find_timings(replace(KEY, model_sha256="another", options={})) == b"timings"
    assert cache.find_timings(replace(KEY, gpu="another")) == b""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_a_cache_that_others_can_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path))
    folder = cache_folder("engines")
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(BackendError, match="other users can write into the cache"):
        EngineCache()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_the_secret_of_the_seal_is_for_its_owner_alone(cache: EngineCache) -> None:
    cache.keep(KEY, PLAN)
    assert (cache.folder / "seal.key").stat().st_mode & 0o777 == 0o600

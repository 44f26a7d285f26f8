"""Run a command while two programs that do next to nothing are attached to its system calls.

python -m benchmarks.floor empty|clock COMMAND...
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pytracer.backend.ebpf.compiler import Compiled, compile_source
from pytracer.backend.ebpf.loader import load
from pytracer.backend.ebpf.source import source_folder


def _compiled(name: str) -> Compiled:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "bpf"
        shutil.copytree(source_folder(), tree)
        shutil.copy(Path(__file__).parent / name, tree / name)
        return compile_source(tree, name, {})


def main() -> int:
    """Attach, run, detach."""
    which, *command = sys.argv[1:]
    loaded = load(_compiled(f"{which}.c"), {})
    try:
        loaded.attach()
        return subprocess.run(command, check=False).returncode
    finally:
        loaded.close()


if __name__ == "__main__":
    sys.exit(main())

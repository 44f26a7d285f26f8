"""Write docs/schema/: the schema of --json, from the types of values and events.

python -m tools.gen_schema
"""

from __future__ import annotations

from pathlib import Path

from pytracer.output.ndjson.lines import SCHEMA_VERSION
from pytracer.output.ndjson.schema import write

TARGET = Path(__file__).resolve().parents[1] / f"docs/schema/pytracer-events-v{SCHEMA_VERSION}.json"


def main() -> None:
    """Write the file."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(write())


if __name__ == "__main__":
    main()

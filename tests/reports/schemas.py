"""Where the schemas that others publish may lie; tests skip, and say so, where they do not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def published(name):
    """The schema in the folder that D2B_GATE_SCHEMAS names, or in ``../shared/schemas`` beside the repository."""
    places = [
        Path(place) for place in (os.environ.get("D2B_GATE_SCHEMAS"), ROOT.parent / "shared" / "schemas") if place
    ]
    for place in places:
        if (place / name).is_file():
            return json.loads((place / name).read_text("utf-8"))
    return pytest.skip(f"{name} lies in none of {[str(place) for place in places]}; set D2B_GATE_SCHEMAS")

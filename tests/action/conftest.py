from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.action.forge import Forge, founded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return founded(tmp_path)

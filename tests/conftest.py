"""Fixtures that several rooms of the tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bottle() -> Path:
    """The real category "bottle" (MVTec layout) where the measuring data lies beside the project."""
    root = Path(__file__).parents[2] / "shared" / "data" / "bottle"
    if not root.is_dir():
        pytest.skip("the data set bottle is not beside the project")
    return root

"""How much is attacked: a sample as a rule, everything with GAD_ATTACKS=all."""

import os

import pytest


@pytest.fixture(scope="session")
def everything() -> bool:
    """Whether all points and all rounds are asked for, which takes a quarter of an hour."""
    return os.environ.get("GAD_ATTACKS") == "all"

"""Fixtures that several folders of tests share."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.postgres import Server, find_programs

# Of the folders that tests name in a browser, most are temporary ones.
os.environ["GAD_ROOTS"] = os.pathsep.join((tempfile.gettempdir(), str(Path(__file__).parents[2])))


@pytest.fixture(scope="session")
def bottle() -> Path:
    """The real category "bottle" (MVTec layout) where the measuring data lies beside the project."""
    root = Path(__file__).parents[2] / "shared" / "data" / "bottle"
    if not root.is_dir():
        pytest.skip("the data set bottle is not beside the project")
    return root


@pytest.fixture(scope="session")
def stripes(tmp_path_factory) -> Path:
    """Thirty plain stripes to fit, ten to test, six of them with a blot."""
    root = tmp_path_factory.mktemp("data") / "stripes"
    rng = np.random.default_rng(2)

    def part(blot: bool) -> Image.Image:
        x = np.arange(64)
        stripes = 120 + 60 * np.sin(x / rng.uniform(3, 4) + rng.uniform(0, 6))
        pixels = np.repeat(np.tile(stripes, (64, 1))[..., None], 3, axis=2) + rng.normal(0, 6, (64, 64, 3))
        if blot:
            pixels[20:40, 20:40] = (200, 30, 30)
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

    for split, kind, n in (("train", "good", 30), ("test", "good", 10), ("test", "blot", 6), ("spare", "good", 24)):
        folder = root.parent / "spare" if split == "spare" else root / split / kind
        folder.mkdir(parents=True)
        for i in range(n):
            part(kind == "blot").save(folder / f"{i:03}.png")
    return root


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of the test run's own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    server = Server(programs)
    yield server
    server.close()


@pytest.fixture
def run(capsys, monkeypatch, tmp_path_factory):
    """Run a command line in one workspace, so with one feature cache; return status, stdout and stderr."""
    from gad_core.command_line import main

    monkeypatch.setenv("GAD_HOME", str(tmp_path_factory.getbasetemp() / "home"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["gad", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0, *capsys.readouterr()

    return run

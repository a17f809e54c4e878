"""A network, image files, and Python processes of their own for what happens at import."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.images import content_digest
from gad_core.features.frozen import Network
from gad_core.features.networks import load_network
from tests.features.drawing import draw


@pytest.fixture(scope="session")
def lite0() -> Network:
    return load_network("tf_efficientnet_lite0")


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs code in a new interpreter; the environment is ours unless another is given."""

    def run(code: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - code of the tests
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., ImageSet]:
    """Writes n PNG files of 24 x 20 pixels; the same seed gives the same files."""

    def write(n: int, *, seed: int = 0, folder: str = "photos") -> ImageSet:
        (tmp_path / folder).mkdir(exist_ok=True)
        files = []
        for index, pixels in enumerate(draw(n, 24, seed)):
            path = tmp_path / folder / f"{seed}-{index:03}.png"
            Image.fromarray(pixels[:20]).save(path)
            files.append(ImageFile(path, content_digest(path)))
        return ImageSet(tuple(files))

    return write

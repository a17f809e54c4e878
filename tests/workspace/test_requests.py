"""What was asked for comes back from its plain values, and does the same again."""

import json
from pathlib import Path

import pytest

from gad_core.data.augment_settings import FIG_5
from gad_core.errors import GadError
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.settings import Augmented, FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Stages
from gad_core.workspace.requests import Demo, DemoImages, Explain, Fit, FolderImages, Request, read_request
from gad_core.workspace.store import Store

REQUESTS: list[Request] = [
    DemoImages("weave"),
    FolderImages(Path("/data/ä b")),
    Fit("abc", FitSettings(n_folds=5, groups="folder", without=("d1",), augmented=Augmented(FIG_5, 3))),
    Demo("washer", "tf_efficientnet_lite0"),
    Explain("abc", "def", Tuning((6, 7), Reduction("npca", 0.05)), 10),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: type(one).__name__)
def test_a_request_comes_back_from_json(request_: Request) -> None:
    assert read_request(json.loads(json.dumps(request_.to_json()))) == request_


def test_a_request_read_back_does_its_step(store: Store, stripes: Path) -> None:
    request = read_request(FolderImages(stripes).to_json())
    row = request.run(store, cache=store.feature_cache(), progress=Stages(None, (1,))(0))
    assert (row.id, row.counts.total) == (store.datasets.all()[0].id, 46)


def test_a_step_of_another_version_is_refused_in_words() -> None:
    with pytest.raises(GadError, match="does not know the step 'teleport'"):
        read_request({"step": "teleport"})

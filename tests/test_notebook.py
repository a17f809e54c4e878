"""The notebook runs as it stands, at the smallest settings, and its figures show what the library found."""

import json
from pathlib import Path

NOTEBOOK = Path(__file__).parents[1] / "docs" / "clever_hans.ipynb"
#: What a reader would change to be done sooner.
SMALLER = {
    "REFERENCES = 10": "REFERENCES = 1",
    "gad.ShiftSettings()": 'gad.ShiftSettings(kinds=("blur",), n_normals=12, n_test=12)',
}


def cells() -> list[str]:
    content = json.loads(NOTEBOOK.read_text("utf-8"))
    assert not any(cell.get("outputs") for cell in content["cells"])  # what is shown is made by who runs it
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


def test_every_cell_runs_and_the_stamp_comes_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAD_HOME", str(tmp_path / "home"))
    space: dict = {}
    for cell in cells():
        for usual, smaller in SMALLER.items():
            cell = cell.replace(usual, smaller)  # noqa: PLW2901
        exec(compile(cell, NOTEBOOK.name, "exec"), space)  # noqa: S102 - our own cells
    clusters, images = space["clusters"], space["found"].images
    stamped = [file.anomalous or file.path.name.startswith("stamped") for file in images]
    assert clusters.suggested == 2
    share = max(sum(clusters.labels[stamped] == cluster) for cluster in (0, 1)) / sum(stamped)
    assert share >= 0.9
    assert space["shifted"].unshifted.whole.left_out.n == 12

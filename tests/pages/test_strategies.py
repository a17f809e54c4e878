"""Strategies on their page: from the button to clusters, and what goes along with them."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from gad_core.attribution.strategies import find_strategies
from gad_core.workspace.explanations import find_run
from tests.pages.script import run
from tests.pages.test_attributions import test_images, texts


@pytest.fixture(scope="module")
def explained(home, ids):
    """All test images explained by the page's button."""
    from pages.shared import resources

    app = run("pages/attributions.py", **ids, view="Strategies")
    assert any("clustered: does the detector look at one thing" in text for text in texts(app))
    app.button(key="explain_every").click().run()
    job = next(job for job in resources.jobs().recent(9) if job.kind == "explain")
    assert resources.jobs().wait(job.id, 250).error is None
    return ids


def mapped(ids):
    from pages.shared import resources
    from pages.views.attributions.category import key_of

    test = test_images(ids)
    return find_run(resources.store().explanations, key_of(test, test.detector.tuning, 10)), test


def test_the_page_says_what_the_library_finds(home, explained):
    app = run("pages/attributions.py", **explained, view="Strategies")
    done, test = mapped(explained)
    assert done.covers(test.images)
    found = find_strategies(np.stack([image.cells for image in done.category.images]))
    start = f"{found.n_clusters} strategies among" if found.structured else "No structure beyond chance among"
    assert any(text.startswith(f"{start} {len(test.images)} maps") for text in texts(app))


def test_a_chosen_number_of_clusters_is_shown_with_what_goes_along(home, explained):
    app = run("pages/attributions.py", **explained, view="Strategies")
    app.selectbox(key="n_strategies").select(2).run()
    assert not app.exception
    titles = [text for text in texts(app) if text.startswith("**Strategy ")]
    assert titles == ["**Strategy 1**", "**Strategy 2**"]
    done, test = mapped(explained)
    labels = find_strategies(np.stack([image.cells for image in done.category.images]), n_clusters=2).labels
    (table,) = (frame.value for frame in app.dataframe if "Cramér's V" in frame.value)
    row = table.set_index("property").loc["label"]
    by_label = {
        name: [int(np.sum((labels == cluster) & (test.images.labels == anomalous))) for cluster in (0, 1)]
        for name, anomalous in (("defective", True), ("good", False))
    }
    expected = " · ".join(f"{name}: {', '.join(map(str, counts))}" for name, counts in by_label.items())
    assert row["images by strategy"] == expected


def test_a_table_of_recordings_counts_among_what_was_tried(home, explained):
    app = run("pages/attributions.py", **explained, view="Strategies")
    app.selectbox(key="n_strategies").select(2).run()
    done, test = mapped(explained)
    labels = find_strategies(np.stack([image.cells for image in done.category.images]), n_clusters=2).labels
    files = {file.digest: file for file in test.images}
    lines = [
        f"{files[image.digest].path.parent.name}/{files[image.digest].path.name},lot {label}"
        for image, label in zip(done.category.images, labels, strict=True)
    ]
    assert adjusted_rand_score(labels, [line[-1] for line in lines]) == 1
    app.file_uploader(key="recordings_table").set_value(
        [("lots.csv", "\n".join(["file,lot", *lines]).encode(), "text/csv")]
    )
    app.run()
    assert any(
        "Beware: they go along with lot (V 1.00" in text or "beware: they go along with lot (V 1.00" in text
        for text in texts(app)
    )
    app.file_uploader(key="recordings_table").set_value([("lots.csv", b"nothing", "text/csv")])
    app.run()
    assert any("needs the column file" in error.value for error in app.error)

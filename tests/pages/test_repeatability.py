"""Working point: the test images judged as a batch, and parts that were imaged several times."""

from base64 import b64decode

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.pages.script import captions, charts, run
from tests.pages.test_working_point import scores_of

PAGE = "pages/working_point.py"


@pytest.fixture(scope="module")
def again(stripes, tmp_path_factory):
    """Four parts, each imaged three times."""
    folder, rng = tmp_path_factory.mktemp("again"), np.random.default_rng(1)
    for i in range(4):
        pixels = np.asarray(Image.open(stripes / "test" / "good" / f"{i:03}.png")).astype(float)
        for j in range(3):
            noisy = (pixels + rng.normal(0, 1, pixels.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / f"part{i}_{j}.png")
    return folder


def table_with(app, column):
    (table,) = [table.value for table in app.table if column in table.value]
    return table


def test_the_batch_is_that_of_benjamini_and_hochberg(home, ids):
    app = run(PAGE, **ids)
    test, by_level = scores_of(ids)
    scores = by_level["sum"]
    p_values = [(1 + (scores.left_out >= score).sum()) / (len(scores.left_out) + 1) for score in scores.test]
    for percent in (10, 20):
        app.selectbox(key="fdr").set_value(percent).run()
        flagged = multipletests(p_values, percent / 100, "fdr_bh")[0]
        row = table_with(app, "of these good").iloc[0]
        assert int(row["parts"]) == flagged.sum()
        good = int((flagged & ~test.images.labels).sum())
        assert f"{flagged.sum()} are flagged, and {good} of these are good" in captions(app)


def test_a_batch_that_too_few_normals_cannot_flag_says_how_many_it_takes(home, ids):
    app = run(PAGE, **ids)
    app.selectbox(key="fdr").set_value(1).run()
    _, by_level = scores_of(ids)
    scores = by_level["sum"]
    beyond = (scores.test > scores.left_out.max()).sum()
    needed = int(np.ceil(round(len(scores.test) / (beyond * 0.01) - 1, 9)))
    assert f"it takes {needed} of them" in captions(app)
    assert table_with(app, "of these good").iloc[0]["of these good"] == "none flagged"


def test_parts_of_a_folder_are_understood_before_anything_is_measured(home, ids, again):
    app = run(PAGE, **ids)
    assert app.button(key="again_go").disabled
    app.segmented_control(key="again_from").set_value("Folder on this machine").run()
    app.text_input(key="again_folder").set_value(str(again)).run()
    assert "Understood: 12 pictures of 4 parts." in captions(app)
    (preview,) = [frame.value for frame in app.dataframe if "files" in frame.value]
    assert preview["part"].tolist() == [f"part{i}" for i in range(4)]
    assert preview["files"][0] == "part0_0.png, part0_1.png, part0_2.png"
    assert not app.button(key="again_go").disabled


def distances(app) -> np.ndarray:
    """Those of the strip chart."""
    return np.frombuffer(b64decode(charts(app)["repeated"]["data"][1]["x"]["bdata"]))


def measured(app):
    from pages.shared import resources

    app.button(key="again_go").click().run()
    job = resources.jobs().recent(1)[0]
    assert resources.jobs().wait(job.id, 120).error is None
    app.run()
    assert not app.exception
    return app


def test_a_study_says_what_the_scores_say(home, ids, again):
    from gad_core.data.datasets import read_folder
    from gad_core.gaussian.extraction import extract_for
    from pages.shared import resources

    app = run(PAGE, **ids)
    app.segmented_control(key="again_from").set_value("Folder on this machine").run()
    app.text_input(key="again_folder").set_value(str(again)).run()
    app = measured(app)
    detector = resources.detector(resources.store().detectors.get(ids["detector"]))
    extraction = extract_for(detector, read_folder(again), resources.engine(detector.backbone))
    scores = detector.scores(extraction.features).reshape(4, 3)
    np.testing.assert_allclose(np.sort(distances(app)), np.sort(scores.ravel()), rtol=1e-5)
    sigma = np.sqrt(scores.var(axis=1, ddof=1).mean())
    low, high = np.sqrt(8 * sigma**2 / stats.chi2.ppf([0.975, 0.025], 8))
    assert f"scatter by {sigma:.3g} [{low:.3g}, {high:.3g}]" in captions(app)
    assert "parts got one verdict every time" in captions(app)


def test_uploaded_pictures_are_measured_and_a_damaged_one_is_named(home, ids, again):
    app = run(PAGE, **ids)
    files = [(file.name, file.read_bytes(), "image/png") for file in sorted(again.iterdir())]
    damaged = ("part0_9.png", files[0][1][:500], "image/png")
    app.file_uploader(key="again_files").set_value([*files, damaged]).run()
    app = measured(app)
    assert len(distances(app)) == 12
    assert any("1 pictures could not be read" in expander.label for expander in app.expander)


def test_names_that_tell_no_part_say_how_to_tell_them(home, ids, stripes, tmp_path):
    app = run(PAGE, **ids)
    app.segmented_control(key="again_from").set_value("Folder on this machine").run()
    app.text_input(key="again_folder").set_value(str(stripes / "test" / "good")).run()
    assert any("tells no part; name pictures of one part" in error.value.replace("\\", "") for error in app.error)
    for path, words in ((tmp_path / "gone", "There is no folder"), ("/nowhere/at/all", "lies outside the folders")):
        app.text_input(key="again_folder").set_value(str(path)).run()
        assert any(words in error.value for error in app.error)


def test_pictures_of_parts_imaged_once_tell_nothing(home, ids, again):
    app = run(PAGE, **ids)
    files = [(file.name, file.read_bytes(), "image/png") for file in sorted(again.glob("*_0.png"))]
    app.file_uploader(key="again_files").set_value(files).run()
    assert "4 of them with one picture" in captions(app)
    app = measured(app)
    assert any("got 0 among 4 parts" in error.value for error in app.error)


def test_a_table_tells_the_parts_whatever_the_names(home, ids, stripes):
    app = run(PAGE, **ids)
    pictures = sorted((stripes / "test" / "good").iterdir())[:4]
    app.file_uploader(key="again_files").set_value([(file.name, file.read_bytes(), "image/png") for file in pictures])
    app.selectbox(key="again_parts").set_value("by a CSV file").run()
    table = "path,part\n" + "".join(f"{file.name},{side}\n" for file, side in zip(pictures, "aabb", strict=True))
    app.file_uploader(key="again_table").set_value(("parts.csv", table.encode(), "text/csv")).run()
    assert "Understood: 4 pictures of 2 parts." in captions(app)

"""Attributions measures its map, and tells what the components of a level stand for."""

import csv
import io
import re

import numpy as np
import pytest

from gad_core import wording
from gad_core.attribution.band_responses import shares
from gad_core.attribution.masks import mask_of
from gad_core.attribution.measures import measure_map, summarise_measures
from gad_core.gaussian.bands import LevelBands
from gad_core.workspace.explanations import runs_on
from tests.pages.script import picture_captions, run, table_rows
from tests.pages.test_attributions import masked_in, test_images, texts

LEVEL = 7
ENDS = ("Far end", "On this image's side")


@pytest.fixture(scope="module")
def masked(home, stripes) -> dict[str, str]:
    from pages.shared import resources

    return masked_in(resources.store(), stripes)


@pytest.fixture
def shown(masked):
    """The test images, and the masked defect that is opened, which is not the first image."""
    test = test_images(masked)
    return test, [file for file in test.images if file.mask][-1]


def level_bands(test):
    tuning = test.detector.tuning
    bands = LevelBands.of(test.detector.gaussians[LEVEL - 1], LEVEL, tuning.reduction)
    return bands, bands.squares(test.features[:, test.detector.slices[LEVEL - 1]])


def test_each_measure_stands_beside_its_chance(masked, shown):
    from pages.shared import explaining

    test, file = shown
    app = run("pages/attributions.py", **masked, image=file.digest[:16])
    found = measure_map(explaining.attribution(test, file, test.detector.tuning, 10).total, mask_of(file))
    rows = table_rows(app)
    assert list(rows) == [
        *("Mass in the mask", "Ranks in the mask", "Pointing game", "Sparseness", "Agreement with the regions")
    ]
    assert rows["Mass in the mask"][:2] == [wording.percent(found.mass), f"chance {wording.percent(found.area)}"]
    assert rows["Sparseness"][:2] == [f"{found.gini:.2f}", "the same shuffled"]
    assert any(f"holds {wording.percent(found.mass)} of what raises the distance" in text for text in texts(app))


def test_without_a_mask_only_the_map_is_measured(masked):
    test = test_images(masked)
    good = next(file for file in test.images if not file.anomalous)
    app = run("pages/attributions.py", **masked, image=good.digest[:16])
    assert list(table_rows(app)) == ["Sparseness", "Agreement with the regions"]
    assert any("it has no mask, so that no place can be right or wrong" in text for text in texts(app))


def test_the_measures_as_a_table_hold_the_same():
    from pages.views.attributions.measured import table

    values, mask = np.array([[3.0, 1.0], [0.0, 0.0]]), np.array([[False, True], [False, False]])
    rows = list(csv.DictReader(io.StringIO(table(measure_map(values, mask)).decode())))
    assert {row["measure"]: float(row["value"]) for row in rows}["mass"] == 0.25
    assert {row["measure"]: row["chance"] for row in rows}["gini"] == ""


def test_the_band_most_above_usual_is_named_with_its_shares(masked, shown):
    test, file = shown
    bands, squares = level_bands(test)
    own = shares(squares)[test.images.files.index(file)]
    usual = shares(bands.left_out_squares(test.detector)).mean(axis=0)
    most = int(np.argmax(own - usual))
    band = bands.bands[most]
    app = run("pages/attributions.py", **masked, image=file.digest[:16])
    (sentence,) = (text for text in texts(app) if "Most above usual" in text)
    assert f"components {band.first}-{band.last}, with {wording.percent(own[most])} of this image" in sentence
    assert f"left-out good parts have {wording.percent(usual[most])}" in sentence
    assert any("The band responds to blot most" in text for text in texts(app))
    middle = np.sqrt(np.median(bands.left_out_squares(test.detector)[:, most]))
    assert any(f"left-out good parts {middle:.1f} (median)" in text for text in texts(app))


def test_bands_are_explained_on_a_button_and_once(masked, shown, monkeypatch):
    from gad_core.attribution import band_maps
    from pages.shared import explaining

    asked, attribute_bands = [], band_maps.attribute_bands

    def count(*args, **options):
        asked.append(args[3])
        return attribute_bands(*args, **options)

    monkeypatch.setattr(band_maps, "attribute_bands", count)
    test, file = shown
    app = run("pages/attributions.py", **masked, image=file.digest[:16], references="1")
    assert asked == []
    app.button(key="explain_bands").click().run()
    assert not app.exception
    made = explaining.known_bands(test, file, test.detector.tuning, LEVEL, 1)
    for band, total in zip(made.bands, made.sums, strict=True):
        assert f"{band.first}-{band.last} · {wording.number(float(total))}" in texts(app)
    again = run("pages/attributions.py", **masked, image=file.digest[:16], references="1")
    assert any("together they are the map of level 7" in text for text in texts(again))
    assert asked == [LEVEL]


def test_another_level_and_band_can_be_looked_at(masked, shown):
    test, file = shown
    app = run("pages/attributions.py", **masked, image=file.digest[:16])
    app.selectbox(key="concept_level").set_value(5).run()
    assert any("Level 5 of the whole image, NPCA 5 %. The score pools regions" in text for text in texts(app))
    (switch,) = (one for one in app.button_group if one.key.startswith("concept_band_5"))
    bands = LevelBands.of(test.detector.gaussians[4], 5, test.detector.tuning.reduction)
    last = bands.bands[-1]
    switch.set_value(f"components {last.first}-{last.last}").run()
    x = test.features[test.images.files.index(file), test.detector.slices[4]]
    (own,) = bands.along(len(bands.bands) - 1, x[None], x)
    assert any(f"this image lies {own:.1f} standard deviations" in text for text in texts(app))


def test_a_distance_without_components_says_so(masked):
    from pages.shared import settings

    app = run("pages/attributions.py", **masked, score="sed", keep="all", levels="5", pool=settings.WHOLE)
    assert any("no sum over components" in info.value for info in app.info)


def test_the_measures_of_a_category_are_means_beside_chance(masked):
    from pages.shared import resources
    from pages.views.attributions.category_measures import table

    app = run("pages/attributions.py", **masked, view="Whole category", references="1", levels="7", pool="whole")
    app.button(key="explain_all").click().run()
    job = next(job for job in resources.jobs().recent(9) if job.title.startswith("Explain"))
    assert resources.jobs().wait(job.id, 200).error is None
    app = run("pages/attributions.py", **masked, view="Whole category", references="1", levels="7", pool="whole")
    (shown,) = (frame.value for frame in app.dataframe if "by chance" in frame.value)
    runs = runs_on(resources.store().explanations, masked["data"])
    found = [image.measures for image in runs[0].category.masked]
    mass, area = (np.array([getattr(one, name) for one in found]) for name in ("mass", "area"))
    rows = shown.set_index("measure")
    assert len(found) == 2
    deviation = wording.percent(mass.std(ddof=1) / np.sqrt(2))
    assert rows.loc["Mass in the mask", "mean ± standard error"] == f"{wording.percent(mass.mean())} ± {deviation}"
    assert list(rows["images"]) == [2] * len(rows)
    assert rows.loc["Mass in the mask", "by chance"] == wording.percent(area.mean())
    assert rows.loc["Sparseness", "by chance"] == "the same"
    lines = list(csv.DictReader(io.StringIO(table(summarise_measures(found)).decode())))
    assert {line["measure"]: float(line["mean"]) for line in lines}["mass"] == pytest.approx(mass.mean())


def test_the_good_parts_at_both_ends_of_a_band_are_those_furthest_along_it(masked, shown):
    _, file = shown
    app = run("pages/attributions.py", **masked, image=file.digest[:16])
    (said,) = (text for text in texts(app) if "good parts of the fit lie from" in text)
    captions = picture_captions(app)
    at = {title: [float(caption.split(" · ")[1]) for caption in captions[title]] for title in ENDS}
    lowest, highest = re.search(r"lie from (\S+) to (\S+):", said).groups()
    assert (at[ENDS[0]][0], at[ENDS[1]][0]) == (float(lowest), float(highest))
    assert at[ENDS[0]] == sorted(at[ENDS[0]])
    assert at[ENDS[1]] == sorted(at[ENDS[1]], reverse=True)

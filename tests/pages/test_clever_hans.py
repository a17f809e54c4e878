"""The tour leads through three cheating demo categories; every number in it is that of the open detector."""

import numpy as np
import pytest

from gad_core import wording
from gad_core.attribution.measures import mass_accuracy
from gad_core.attribution.reduced import border
from gad_core.data.demo import photos, writing
from gad_core.data.demo.cheats import CHEATS
from gad_core.features.backbones import BACKBONES
from gad_core.workspace.steps import try_demo
from tests.pages.script import metrics, run


@pytest.fixture(scope="module")
def cheats(home) -> dict[str, dict[str, str]]:
    """Each cheating category with a detector, with fewer parts than people get."""
    from pages.shared import resources

    store, ids = resources.store(), {}
    with pytest.MonkeyPatch.context() as patch:
        for name, n in (("N_TRAIN", 24), ("N_GOOD", 8), ("N_TYPE", 2)):
            patch.setattr(photos, name, n)
        patch.setattr(writing, "N_CONTROL", 2)
        for name in CHEATS:
            row = try_demo(store, name, backbone=BACKBONES[0].name, cache=store.feature_cache())
            ids[name] = {"data": str(row.dataset_id), "detector": row.id}
    return ids


def opened(ids):
    from pages.shared import resources

    store = resources.store()
    dataset = store.datasets.get(ids["data"])
    return resources.test_images(store.detectors.get(ids["detector"]), dataset), dataset


def texts(app) -> list[str]:
    return [text.value.replace("\\", "").replace("\u2060", "") for text in (*app.markdown, *app.caption)]


@pytest.mark.parametrize("name", CHEATS)
def test_both_areas_are_those_of_counted_pairs(home, cheats, name):
    from pages.views.attributions import hans_evidence

    test, _ = opened(cheats[name])
    tuning = test.detector.tuning
    app = run("pages/attributions.py", **cheats[name])
    shown = [value for label, value in metrics(app).items() if label.startswith("AUROC, ")]
    sharp = [file for file in test.images if not file.anomalous and not file.path.stem.startswith(CHEATS[name].sign)]
    by_digest = dict(zip(test.images.digests, test.detector.scores(test.features, tuning), strict=True))
    bad = [by_digest[file.digest] for file in test.images if file.anomalous]
    good = [by_digest[file.digest] for file in test.images if not file.anomalous]
    honest = [by_digest[file.digest] for file in sharp]
    assert len(honest) == len(good) - 2
    _, twins = hans_evidence.areas(test, name, tuning)
    pairs = np.mean([(b > g) + 0.5 * (b == g) for b in bad for g in good])
    assert float(shown[0].removesuffix(" %")) == pytest.approx(100 * pairs, abs=0.0501)  # one decimal
    assert shown[1] == wording.percent(twins.value)
    assert (twins.n_normal, twins.n_anomalous) == (len(honest), len(bad))
    assert any(f"AUROC {shown[0]} on these test images" in text for text in texts(app))


def test_the_twins_of_ruled_weave_score_as_the_files_of_plain_weave(home, cheats, tmp_path, monkeypatch):
    import gad_core as gad
    from gad_core.decision.curves import auroc
    from pages.views.attributions import hans_evidence

    for name, n in (("N_TRAIN", 1), ("N_GOOD", 8), ("N_TYPE", 2)):
        monkeypatch.setattr(photos, name, n)
    (plain,) = writing.write_demo(tmp_path, categories=("weave",))
    test, _ = opened(cheats["weave_ruler"])
    files = gad.read_dataset(plain).test
    scored = gad.score(test.detector, files)
    expected = auroc(np.array([row["score"] for row in scored.rows]), files.labels)
    _, twins = hans_evidence.areas(test, "weave_ruler", test.detector.tuning)
    assert twins.value == pytest.approx(expected.value, abs=1e-9)


def test_the_ruler_is_found_by_border_and_lots(home, cheats):
    from pages.shared import explaining
    from pages.views.attributions import hans_evidence

    test, dataset = opened(cheats["weave_ruler"])
    app = run("pages/attributions.py", **cheats["weave_ruler"])
    file = hans_evidence.pair(test, dataset, CHEATS["weave_ruler"], test.detector.tuning, 10).file
    total = explaining.attribution(test, file, test.detector.tuning, 10).total
    share = wording.share(mass_accuracy(total, border(total.shape)))
    assert metrics(app)["On the border, ruler"] == share
    (found,) = (text for text in texts(app) if "Found by" in text)
    assert f"{share} of what raises the distance lie on the border" in found
    assert "8 of 8 defective parts came in lot F, as did 2 of 10 good ones" in found


def test_a_lens_curve_is_read_where_it_meets_the_defective_parts():
    from pages.views.attributions.hans_evidence import SOFTNESSES, LensCurve

    rising = np.linspace(0, 6, len(SOFTNESSES))
    assert LensCurve(rising, 2.5).alike == pytest.approx(np.interp(2.5, rising, SOFTNESSES))
    assert LensCurve(rising, 6.5).alike is None
    assert LensCurve(rising, 0.0).alike == 0


def test_the_soft_lens_is_found_by_softer_lenses_before_good_parts_and_has_no_place(home, cheats):
    app = run("pages/attributions.py", **cheats["board_soft"])
    (found,) = (text for text in texts(app) if "Found by" in text)
    assert "a softer lens before good parts" in found
    assert not any(label.startswith("On the ") for label in metrics(app))


@pytest.mark.parametrize(("name", "view"), [("board_soft", "Another camera"), ("weave_ruler", "Strategies")])
def test_the_tour_leads_to_the_view_with_the_tool(home, cheats, name, view):
    app = run("pages/attributions.py", **cheats[name])
    app.button(key="hans_look").click().run()
    assert not app.exception
    assert app.button_group(key="view").value == view


def test_the_way_leads_from_cheat_to_cheat_and_an_honest_category_to_the_first(home, cheats, ids):
    from pages.shared import resources

    names = [*CHEATS]
    for name, following in [*zip(names, [*names[1:], names[0]], strict=True)]:
        app = run("pages/attributions.py", **cheats[name])
        app.button(key="open_cheat").click().run()
        job = resources.jobs().recent(1)[0]
        assert resources.jobs().wait(job.id, 200).error is None
        assert job.request["category"] == following
    app = run("pages/attributions.py", **ids)
    assert app.button(key="open_cheat").label == "Open the stamped washer"

"""Fit compares the presets on the open data set, says which to take, and takes it."""

from gad_core.decision.preset_comparison import compare_presets
from tests.pages.script import run


def test_presets_are_compared_when_asked_and_the_best_is_taken(home, ids):
    from pages.shared import resources
    from pages.views.fit.presets import sentence

    app = run("pages/fit.py", **ids, levels="7", pool="max")
    assert not any("Take " in element.value for element in app.markdown)
    app.button(key="compare_presets").click().run()
    assert not app.exception
    store = resources.store()
    test = resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))
    found = compare_presets(test.projected, test.images.labels, 0.05)
    assert any(element.value.replace("\\", "") == sentence(found) for element in app.markdown)
    (table,) = (table.value for table in app.table if "preset" in table.value.columns)
    assert [name.removesuffix(" (take)") for name in table["preset"]] == [one.name for one in found.results]
    assert [name for name in table["preset"] if "(take)" in name] == [f"{found.taken.name} (take)"]
    assert table["AUROC"][0].startswith(f"{100 * found.results[0].area.value:.1f} %")
    assert all(time.endswith(" ms") for time in table["an image"])
    use = app.button(key="use_preset")
    assert (use.label, use.disabled) == (f"Use {found.taken.name}", False)
    use.click().run()
    assert app.button(key="use_preset").disabled
    assert app.session_state["pool"] == "top:0.1"
    assert app.session_state["levels"] == ["6", "7"]

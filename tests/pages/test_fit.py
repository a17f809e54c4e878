"""The page Fit: what its form says is what is fitted."""

from tests.pages.script import run


def test_what_was_changed_just_before_the_press_is_fitted(home, ids):
    from pages.shared import resources

    app = run("pages/fit.py", data=ids["data"])
    app.number_input(key="seed").set_value(7)
    app.button(key="fit").click()
    app.run()  # both in one message, as a busy server gets them
    job = resources.jobs().recent(1)[0]
    resources.jobs().cancel(job.id)
    assert job.request is not None
    assert job.request["settings"]["seed"] == 7

"""Fit: a Gaussian for every level of a frozen network."""

from pages.shared import frame, opened, tasks
from pages.views.fit.health import health
from pages.views.fit.settings import form

frame.begin()


def main() -> None:
    frame.heading("Fit", "Decide which network looks at the parts; each of its levels gets a Gaussian of good parts.")
    dataset = opened.dataset()
    if dataset is None:
        frame.empty("Open the images of good parts first.", "Choose images", "pages/data.py")
        return
    form(dataset)
    tasks.cards()
    tasks.show_failure()
    detector = opened.detector()
    if detector is not None:
        health(detector, dataset)


main()

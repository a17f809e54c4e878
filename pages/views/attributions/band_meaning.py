"""What one band of the spectrum means: the good parts at its two ends, and the defects that it responds to."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.attribution.band_responses import BandResponses
from gad_core.gaussian.bands import LevelBands
from gad_core.workspace.rows import DatasetRow
from pages.shared import pictures, resources
from pages.shared.text import plain

_ENDS = 3  # good parts at each end


def ends(
    test: resources.TestImages,
    dataset: DatasetRow,
    bands: LevelBands,
    chosen: int,
    features: NDArray[np.float32],
    middle: float,
) -> None:
    """The good parts at the two ends of the way on which the image leaves the others within the band.

    `middle` is the median distance of left-out good parts there.
    """
    detector = test.detector
    rows = detector.training.features[:, detector.slices[bands.bands[0].level - 1]]
    files = {one.digest: one for one in resources.dataset(dataset).train}
    along = zip(detector.training.digests, bands.along(chosen, rows, features).tolist(), strict=True)
    there = sorted(((files[digest], at) for digest, at in along if digest in files), key=lambda pair: pair[1])
    if not there:
        st.caption("The good parts that the detector was fitted to are no longer in this data set.")
        return
    if bands.bands[chosen].null:
        st.caption("Good parts do not vary here: only new images have anything outside their span.")
        return
    (own,) = bands.along(chosen, features[None], features)
    st.caption(
        f"Within the band this image lies {own:.1f} standard deviations from the mean, left-out good parts "
        f"{middle:.1f} (median). Along this image's way good parts of the fit lie from {there[0][1]:+.1f} to "
        f"{there[-1][1]:+.1f}: those at its two ends show what varies."
    )
    pictures.rows(
        {
            title: [(resources.pixels(detector.backbone, one), f"{one.path.name} · {at:+.1f}") for one, at in shown]
            for title, shown in (("Far end", there[:_ENDS]), ("On this image's side", there[: -_ENDS - 1 : -1]))
        }
    )


def responses(found: BandResponses, chosen: int) -> None:
    """Which of the test images' defects the band responds to."""
    best = found.best(chosen)
    words = (
        f"The band responds to {plain(best[0].defect.replace('_', ' '))} most: by its distance within the band alone, "
        f"AUROC {100 * best[0].areas[chosen]:.1f} % against good test parts (n = {best[0].n})."
    )
    st.caption(words)
    rows = [
        {
            "defect": one.defect.replace("_", " "),
            "images": one.n,
            "share of d²": wording.percent(float(one.shares[chosen])),
            "of good test parts": wording.percent(float(found.normal_shares[chosen])),
            "AUROC of the band": f"{100 * one.areas[chosen]:.1f}",
        }
        for one in best
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="band_responses", alt=words)

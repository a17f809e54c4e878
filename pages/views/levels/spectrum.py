"""One level from the inside: the variance of its components, and where among them defects stand out."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from gad_core import figures
from gad_core.decision.reduction_map import whitened_energy
from gad_core.gaussian.tuning import Tuning
from pages.shared import charts, resources

Array = NDArray[np.float64]


def shown_level(tuning: Tuning) -> int:
    """The level whose spectrum is shown: the one picked in the panel, else the last one in the sum."""
    picked = st.session_state.get("shown_level")
    return int(picked) if picked and int(picked) in tuning.levels else tuning.levels[-1]


def spectrum(test: resources.TestImages, tuning: Tuning, level: int) -> None:
    """How strong each component of a level is, and which are kept."""
    fitted = test.detector.gaussians[level - 1].spectrum
    kept = fitted.components(tuning.reduction)
    finding = (
        f"Level {level}: {kept.stop - kept.start} of {len(fitted.eigenvalues)} components kept, "
        f"{fitted.n_null} of {fitted.n_features} dimensions are null."
    )
    with charts.cornered("Eigenvalue spectrum", finding) as corner:
        _level_switch(corner, tuning)
        figure = figures.eigenvalue_spectrum(fitted.eigenvalues, kept=kept, n_features=fitted.n_features)
        charts.show(figure, key="spectrum", alt=finding)


def energy(test: resources.TestImages, level: int, tuning: Tuning) -> None:
    """Where in the spectrum defects stand out."""
    labels, coordinates = test.images.labels, test.projected.test[level - 1]
    normal = whitened_energy(test.detector, level, coordinates[~labels]) if not labels.all() else None
    defects = whitened_energy(test.detector, level, coordinates[labels]) if labels.any() else None
    if normal is None and defects is None:
        return
    finding = _energy_finding(normal, defects, level)
    with charts.panel("Whitened energy by component", finding):
        kept = test.detector.gaussians[level - 1].spectrum.components(tuning.reduction)
        figure = figures.component_energy(normal, defects, kept=kept)
        charts.show(figure, key="energy", alt=finding)


def _level_switch(corner: DeltaGenerator, tuning: Tuning) -> None:
    """A small choice among the levels in the sum."""
    names = list(map(str, tuning.levels))
    if st.session_state.get("shown_level") not in names:
        st.session_state["shown_level"] = names[-1]
    corner.selectbox("Level shown", names, key="shown_level", label_visibility="collapsed")


def _energy_finding(normal: Array | None, defects: Array | None, level: int) -> str:
    """Where defects rise above good parts: in the strong half of the components or in the weak one."""
    if normal is None or defects is None:
        return f"Level {level}: mean squared coordinate over variance; 1 is like the fitted images."
    ratio, half = np.log(np.maximum(defects, 1e-12) / np.maximum(normal, 1e-12)), len(normal) // 2
    strong, weak = (float(np.exp(part.mean())) for part in (ratio[:half], ratio[half:]))
    return (
        f"Level {level}: defects have {strong:.1f} times the energy of good parts in the strong half of the "
        f"components and {weak:.1f} times in the weak half."
    )

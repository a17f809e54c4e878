"""The numbers of one explained image."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.attribution import verdicts
from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.explanation import Explanation, Undefined, explain_score
from gad_core.data.datasets import ImageFile
from pages.shared.charts import QUIET
from pages.shared.text import plain
from pages.views.attributions import findings, flagged


def numbers(attribution: Attribution, file: ImageFile, mask: NDArray[np.bool_] | None, found: flagged.Judged) -> None:
    """Distance, threshold and, where the image has a mask, how its map agrees with that."""
    explanation = None if mask is None else explain_score(attribution.total, mask)
    with st.grid(4, min_column_width=170):
        st.metric(
            "Distance",
            wording.number(attribution.score),
            f"references {wording.number(attribution.reference_score)}",
            **QUIET,
            help=plain(
                f"{file.defect.replace('_', ' ')}, {file.path.name}. The map adds up to the difference of the two."
            ),
        )
        st.metric(
            "Threshold",
            wording.number(found.point.threshold) if found.point else "none",
            ("flagged" if found.flagged else "not flagged") if found.point else "at these settings",
            **QUIET,
            help="The adopted one where it belongs to these levels and components, else that of the settings on "
            "Working point.",
        )
        if explanation:
            _agreement(explanation)
    flagged.show(found)
    if isinstance(explanation, Explanation):
        findings.line("Map and mask", verdicts.of_mask(explanation))
    elif explanation is None:
        st.caption(":material/info: This image has no mask, so there is no explanation score; masks are added on Data.")


def _agreement(explanation: Explanation | Undefined) -> None:
    if isinstance(explanation, Undefined):
        st.metric("Explanation score", "not defined", plain(explanation.reason), **QUIET)
        return
    st.metric(
        "Explanation score",
        f"{explanation.score:.1f}",
        f"chance {explanation.null_mean:.1f} [{explanation.null_low:.1f}, {explanation.null_high:.1f}]",
        **QUIET,
        help="Is the attribution denser in the mask than outside? Cosine of the region-averaged map with the mask, "
        "from -100 to 100 (Sec. V-E). By chance: the same map under the same mask at every other place, mean and "
        f"central 95 %. A uniform map gets {explanation.uniform_level:.1f}, 100 times the root of the mask's area.",
    )
    st.metric(
        "In the mask",
        wording.share(explanation.share),
        f"chance {wording.percent(explanation.area)}",
        **QUIET,
        help="Does most of the attribution lie in the mask? What the mask holds of the map's sum; by chance, its area "
        f"of the image. Raw score (cosine of the rectified map with the mask): {explanation.raw_score:.1f}.",
    )

"""The numbers of one explained image."""

import streamlit as st

from gad_core import wording
from gad_core.attribution.category import mask_of
from gad_core.attribution.deep_shap import Attribution
from gad_core.attribution.explanation import Explanation, Undefined, explain_score
from gad_core.data.datasets import ImageFile
from pages.shared.charts import QUIET


def numbers(attribution: Attribution, file: ImageFile) -> None:
    """Distance and, where the image has a mask, how its map agrees with that."""
    with st.grid(4, min_column_width=150):
        st.metric(
            "Distance",
            wording.number(attribution.score),
            f"references {wording.number(attribution.reference_score)}",
            **QUIET,
            help=f"{file.defect.replace('_', ' ')}, {file.path.name}. The map adds up to the difference of the two.",
        )
        if file.mask:
            _agreement(explain_score(attribution.total, mask_of(file)))
    if not file.mask:
        st.caption(":material/info: This image has no mask, so there is no explanation score; masks are added on Data.")


def _agreement(explanation: Explanation | Undefined) -> None:
    if isinstance(explanation, Undefined):
        st.metric("Explanation score", "not defined", explanation.reason, **QUIET)
        return
    st.metric(
        "Explanation score",
        f"{explanation.score:.1f}",
        f"uniform map {explanation.uniform_level:.1f}",
        **QUIET,
        help="Cosine of the region-averaged map with the mask, from -100 to 100 (Sec. V-E). A uniform map gets "
        "100 times the root of the mask's share of the image.",
    )
    st.metric(
        "By chance",
        f"{explanation.null_mean:.1f}",
        f"[{explanation.null_low:.1f}, {explanation.null_high:.1f}]",
        **QUIET,
        help="The same map under the same mask at every other place: mean and central 95 %.",
    )
    st.metric(
        "In the mask",
        wording.share(explanation.share),
        f"raw score {explanation.raw_score:.1f}",
        **QUIET,
        help="What the mask holds of the map's sum. Raw score: cosine of the rectified map with the mask.",
    )

"""The numbers of one explained image."""

import streamlit as st

from gad_core import wording
from gad_core.attribution.deep_shap import Attribution
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.data.datasets import ImageFile
from pages.shared.charts import QUIET


def numbers(found: Attribution, met: Explanation | Undefined | None, file: ImageFile) -> None:
    """The numbers that matter for this image."""
    with st.grid(4, min_column_width=150):
        st.metric(
            "Distance",
            wording.number(found.score),
            f"references {wording.number(found.reference_score)}",
            **QUIET,
            help=f"{file.defect.replace('_', ' ')}, {file.path.name}. The map adds up to the difference of the two.",
        )
        if isinstance(met, Explanation):
            st.metric(
                "Explanation score",
                f"{met.score:.1f}",
                f"uniform map {met.uniform_level:.1f}",
                **QUIET,
                help="Cosine of the region-averaged map with the mask, from -100 to 100 (Sec. V-E). A uniform map gets "
                "100 times the root of the mask's share of the image.",
            )
            st.metric(
                "By chance",
                f"{met.null_mean:.1f}",
                f"[{met.null_low:.1f}, {met.null_high:.1f}]",
                **QUIET,
                help="The same map under the same mask at every other place: mean and central 95 %.",
            )
            st.metric(
                "In the mask",
                wording.share(met.share),
                f"raw score {met.raw_score:.1f}",
                **QUIET,
                help="What the mask holds of the map's sum. Raw score: cosine of the rectified map with the mask.",
            )
        elif isinstance(met, Undefined):
            st.metric("Explanation score", "not defined", "see below", **QUIET, help=met.reason)
    if met is None:
        st.caption(":material/info: This image has no mask, so there is no explanation score; masks are added on Data.")

"""Pictures that hold themselves: one that the server keeps is gone, and asked for in vain, once its page is left."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image


def url(pixels: NDArray[np.uint8]) -> str:
    """Pixels (H, W, 3) as the URL of a JPEG, or (H, W, 4), of which some are seen through, as that of a PNG."""
    kind = "JPEG" if pixels.shape[2] == 3 else "PNG"
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind, quality=88)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def rows(groups: Mapping[str, Sequence[tuple[NDArray[np.uint8], str]]]) -> None:
    """Small pictures with captions, side by side under the title of their group; all of them are one element."""
    parts = []
    for title, shown in groups.items():
        figures = "".join(
            f'<figure><img src="{url(pixels)}" alt="{escape(f"{title.lower()}: {caption}")}"/>'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
            for pixels, caption in shown
        )
        parts.append(f"<section><p>{escape(title)}</p>{figures}</section>")
    st.html(f'<div class="gad-pictures">{"".join(parts)}</div>')

"""What is suspicious about a data set's images: test images that were trained on, odd sizes, odd light."""

import streamlit as st

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.oddities import leaks, odd_brightness, odd_sizes, thumbnails
from gad_core.workspace.rows import DatasetRow
from pages.shared import resources
from pages.shared.gallery import gallery

Findings = dict[str, tuple[tuple[ImageFile, str], ...]]

#: Test images that are among the training images.
LEAKED = "trained on and tested with"


def checks(row: DatasetRow) -> None:
    """The findings, each with its images; nothing but a line where all is well."""
    findings = findings_of(row)
    if not any(findings.values()):
        st.caption(":material/verified: No image is both trained on and tested with; sizes and brightness are even.")
        return
    words = ", ".join(f"{len(images)} {kind}" for kind, images in findings.items() if images)
    with st.expander(f"Worth checking: {words}", icon=":material/troubleshoot:", expanded=bool(findings[LEAKED])):
        if findings[LEAKED]:
            st.warning(
                "Test images that were trained on make every rate look better than it is: take them out of one side.",
                icon=":material/warning:",
            )
        for kind, images in findings.items():
            if images:
                st.markdown(f"**{kind[0].upper()}{kind[1:]}**")
                files, notes = zip(*images, strict=True)
                gallery(files, key=f"odd_{row.id}_{kind}", caption=notes.__getitem__, per_page=12)


@st.cache_resource(show_spinner="Checking the images …", max_entries=8, hash_funcs=resources.BY_STATE)
def findings_of(row: DatasetRow) -> Findings:
    """Images by what is suspicious about them, each with a note."""
    dataset = resources.dataset(row)
    train, test = thumbnails(dataset.train), thumbnails(dataset.test)
    both, every = ImageSet(dataset.train.files + dataset.test.files), train + test
    copies = leaks(dataset.train, dataset.test, train, test)
    sizes, light = odd_sizes(every), odd_brightness(every)
    return {
        LEAKED: tuple(
            (
                dataset.test.files[leak.test],
                f"{'is' if leak.exact else 'looks like'} train/{dataset.train.files[leak.train].path.name}",
            )
            for leak in copies
        ),
        "of odd size": tuple(
            (both.files[i], f"{one.size[0]} x {one.size[1]}") for i in sizes.tolist() if (one := every[i])
        ),
        "of odd brightness": tuple(
            (both.files[i], f"{both.files[i].path.name} · {one.brightness:.0f} of 255")
            for i in light.tolist()
            if (one := every[i])
        ),
    }

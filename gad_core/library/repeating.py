"""Parts imaged several times: how far a detector's verdict repeats."""

from collections.abc import Iterable
from dataclasses import dataclass

from gad_core.data.datasets import ImageSet, Refusal
from gad_core.data.parts import in_parts, parse_way
from gad_core.decision.repeatability import Repeatability, judge_again
from gad_core.decision.verdict import Verdict
from gad_core.gaussian.detector import Detector
from gad_core.library.reading import PathLike, read_images
from gad_core.library.resources import extract_images
from gad_core.progress import Progress


@dataclass(frozen=True)
class RepeatedImages:
    """Pictures of parts that were imaged several times, with their scores and what repetition does to them.

    Parameters
    ----------
    images : ImageSet
        The n pictures that could be read, each with its part as its group, and the files that could not.
    verdict : Verdict
        Scores (n,), p-values (n,) and flags (n,) in the same order, and the threshold.
    study : Repeatability
        The variation between pictures of one part, against the tolerance.

    Examples
    --------
    >>> import gad_core as gad
    >>> repeated = gad.repeatability(gad.load_detector("parts.gad"), "again")
    >>> repeated.images.groups[:4]
    ('part0', 'part0', 'part0', 'part1')
    """

    images: ImageSet
    verdict: Verdict
    study: Repeatability

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Files that could not be read, each with its reason."""
        return self.images.refused


def repeatability(
    detector: Detector,
    images: ImageSet | PathLike | Iterable[PathLike],
    *,
    parts: PathLike | None = None,
    target_fpr: float | None = None,
    method: str | None = None,
    progress: Progress | None = None,
) -> RepeatedImages:
    """Compare pictures of the same parts: how far the distance repeats, and whether the verdict does.

    Parameters
    ----------
    detector : Detector
        A fitted detector; its own tuning gives the score.
    images : ImageSet, or str, Path, or iterable of them
        Pictures, or files and folders as `read_images` takes them; a part at least twice, each time taken anew.
    parts : str or Path, optional
        Which pictures show the same part: "names" (partA_1.png, partA_2.png), "folders" (one a part), or a CSV file
        with the columns path and part. By default folders where each holds pictures of one name, else names.
    target_fpr : float, optional
        False-positive rate in (0, 1) of the threshold; by default the adopted one, or else 0.05.
    method : str, optional
        As for `score`.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    RepeatedImages
        The pictures with their parts, scores and verdicts, and the study: the standard deviation of one part's
        distance, its share of the tolerance (%GRR), and how many parts got one verdict.

    Raises
    ------
    GadError
        Where a picture's part is not told, fewer than two parts were imaged twice, pictures are copies, and as `score`.
    SampleTooSmall
        Where the detector's images cannot support the target.

    Examples
    --------
    >>> import gad_core as gad
    >>> study = gad.repeatability(gad.load_detector("parts.gad"), "again", parts="names").study
    >>> study.word, study.categories < 5  # a new picture moves these distances too far
    ('fails', True)
    """
    files = images if isinstance(images, ImageSet) else read_images(images)
    parted = in_parts(files, parse_way(parts))
    extraction = extract_images(detector, parted, progress=progress)
    names = [file.group or file.path.name for file in extraction.images]
    verdict, study = judge_again(detector, extraction.features, names, target_fpr=target_fpr, method=method)
    return RepeatedImages(extraction.images, verdict, study)

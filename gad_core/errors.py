"""What can go wrong for the person at the keyboard, and how long work is stopped.

GadError                 a mistake or a limit that the user can mend
|- ImageRefused          one image that cannot be used; the work goes on without it
|- SampleTooSmall        a target that the images cannot support
`- NotExplained          a network whose scores the attribution rules do not cover
Cancelled                long work stopped by whoever started it; not an error
"""


class GadError(Exception):
    """A mistake or a limit that the user can mend; the message says what was needed, what was got and what to do.

    Examples
    --------
    >>> import gad_core as gad
    >>> try:
    ...     gad.load_detector("missing.gad")
    ... except gad.GadError as error:
    ...     print(error)
    there is no detector file missing.gad; check the path, or fit a detector first
    """


class ImageRefused(GadError):
    """An image that is not used; the message says why and what to do.

    Of many images the rest goes on, and what was refused is told in the result.

    Examples
    --------
    >>> import gad_core as gad
    >>> try:
    ...     gad.explain(gad.load_detector("parts.gad"), "parts/test/blot/000.png", mask="lots.csv")
    ... except gad.ImageRefused as error:
    ...     print(error)  # doctest: +ELLIPSIS
    lots.csv: the content is no PNG, JPEG, BMP, TIFF or WebP image, ...
    """


class SampleTooSmall(GadError):
    """A target that the sample cannot support.

    Parameters
    ----------
    message : str
        What was needed, what was got and what to do.
    needed : int
        Images (or groups) that would support it.
    n : int
        Those that there are.

    Examples
    --------
    >>> import gad_core as gad
    >>> try:
    ...     gad.score(gad.load_detector("parts.gad"), "parts/test/blot", target_fpr=0.01)
    ... except gad.SampleTooSmall as error:
    ...     print(error.needed, error.n)
    99 30
    """

    def __init__(self, message: str, *, needed: int, n: int) -> None:
        """Keep the numbers beside the message."""
        super().__init__(message)
        self.needed = needed
        self.n = n


class NotExplained(GadError):
    """A network whose score the rules cannot attribute exactly; the message says where they end.

    Examples
    --------
    >>> import gad_core as gad
    >>> try:
    ...     found = gad.explain(gad.load_detector("parts.gad"), "parts/test/blot/000.png", n_references=1)
    ... except gad.NotExplained as error:
    ...     print(error)
    ... else:
    ...     print(found.attribution.gap < 1e-3)
    True
    """


class Cancelled(Exception):
    """Raised out of a progress callback to stop long work; whoever started the work catches it.

    Examples
    --------
    >>> import gad_core as gad
    >>> def stop(done, total):
    ...     raise gad.Cancelled
    >>> try:
    ...     gad.score(gad.load_detector("parts.gad"), "parts/test/blot", progress=stop)
    ... except gad.Cancelled:
    ...     print("stopped")
    stopped
    """

"""From folders and files to sets of images; pixels are not decoded."""

from collections.abc import Iterable
from pathlib import Path

from gad_core.data import datasets, groups
from gad_core.data.datasets import Dataset, ImageSet
from gad_core.data.groups import GroupTable

PathLike = str | Path


def read_dataset(path: PathLike) -> Dataset:
    """Read a category in MVTec layout, or a plain folder of normal images.

    Files are hashed and their headers checked; pixels are not decoded.

    Parameters
    ----------
    path : str or Path
        A folder with train/good, and perhaps test/good, test/<defect> and ground_truth/<defect>/<name>_mask.png; or a
        folder that holds normal images only.

    Returns
    -------
    Dataset
        Its training and test images, each with the files that were refused.

    Raises
    ------
    GadError
        Where the folder holds no normal images, or several categories.

    Examples
    --------
    >>> import gad_core as gad
    >>> data = gad.read_dataset("parts")
    >>> len(data.train), len(data.test), int(data.test.labels.sum())
    (30, 16, 6)
    """
    return datasets.read_dataset(Path(path))


def read_images(paths: PathLike | Iterable[PathLike]) -> ImageSet:
    """Read images given one by one and by the folder, whatever their labels.

    Parameters
    ----------
    paths : str, Path, or iterable of them
        Image files, and folders of which every image is taken, sub-folders included.

    Returns
    -------
    ImageSet
        The images in that order, and the files that were refused.

    Raises
    ------
    GadError
        Where there is no image at all.

    Examples
    --------
    >>> import gad_core as gad
    >>> images = gad.read_images(["parts/test/good/000.png", "parts/test/blot"])
    >>> len(images)
    7
    """
    given = [paths] if isinstance(paths, PathLike) else paths
    return datasets.read_paths([Path(path) for path in given])


def read_groups(path: PathLike) -> GroupTable:
    """Read which images belong together: a lot, a session, a camera.

    Parameters
    ----------
    path : str or Path
        A CSV file with the columns file (as much of the end of a path as tells the images apart) and group.

    Returns
    -------
    tuple of (str, str or None)
        Pairs of a file and its group, for `FitSettings`; None: the image stands alone.

    Raises
    ------
    GadError
        For a file that cannot be read or lacks a column, and where one image has two groups.

    Examples
    --------
    >>> import gad_core as gad
    >>> groups = gad.read_groups("lots.csv")
    >>> groups[0]
    ('000.png', 'lot 0')
    >>> gad.FitSettings(groups=groups).n_folds is None
    True
    """
    return groups.read_groups(Path(path))

"""ZIP archives: the bytes as they are, or an archive of names and contents that the bytes tell."""

import warnings
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from gad_core.data.archives import unpack_zip
from gad_core.errors import GadError

_LIMITS = {"max_bytes": 1 << 16, "max_files": 20}


def attempt(data: bytes) -> None:
    """Unpack; all of it lies in its folder as plain files, or nothing is left at all."""
    if data[:1] == b"\1":
        data = _archive(data[1:])
    with TemporaryDirectory() as scratch:
        into = Path(scratch, "deep", "into")
        into.parent.mkdir()
        try:
            unpack_zip(data, into, **_LIMITS)
        except GadError:
            assert not list(into.parent.iterdir())
            return
        found = list(into.rglob("*"))
        assert not [path for path in found if path.is_symlink() or not (path.is_file() or path.is_dir())]
        assert sum(path.stat().st_size for path in found if path.is_file()) <= _LIMITS["max_bytes"]
        assert sorted(Path(scratch).rglob("*")) == sorted([into.parent, into, *found])


def _archive(data: bytes) -> bytes:
    """Lines become members: a name, a blank, an attribute of the file as a digit, a blank, and what it holds."""
    stream = BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of names that come twice, which are meant
        for line in data.split(b"\n")[:30]:
            name, _, rest = line.partition(b" ")
            kind, _, content = rest.partition(b" ")
            info = zipfile.ZipInfo("x")
            info.filename = name.decode("utf-8", "replace")[:2000]  # past the constructor, which mends names
            info.external_attr = (kind[0] & 15) << 28 if kind else 0
            archive.writestr(info, content)
    return stream.getvalue()

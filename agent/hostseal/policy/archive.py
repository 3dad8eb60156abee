"""The bundle's file: a gzipped tar whose bytes depend on nothing but what is in it."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from hostseal.errors import PolicyError

_BROKEN = (OSError, EOFError, zlib.error, tarfile.TarError, ValueError)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return the archive: in the order of names, nobody's, of no time."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, body in sorted(files.items()):
            member = tarfile.TarInfo(f"/{name}")
            member.size, member.mode = len(body), 0o600
            archive.addfile(member, io.BytesIO(body))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as file:
        file.write(plain.getvalue())
    return packed.getvalue()


def unpack(bundle: Path) -> dict[str, bytes]:
    """Return the files by name; PolicyError when `bundle` is no such archive."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(bundle) as archive:
            for member in archive:
                body = archive.extractfile(member)
                if body is not None:
                    files[member.name.lstrip("/")] = body.read()
    except _BROKEN as error:
        raise PolicyError(f"this is not a bundle: {error}", hint=str(bundle)) from error
    return files

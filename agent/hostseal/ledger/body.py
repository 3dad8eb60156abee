"""Takes a posted body in, bounded: so many bytes as they come, so many once unpacked, so long."""

import asyncio
import zlib
from collections.abc import AsyncIterable
from http import HTTPStatus

import msgspec

from hostseal.errors import RefusedError

_STEP = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of a body as it comes and unpacked, bytes of all bodies that come at a time, and seconds for one.

    The largest event there can be (200 paths of 4,000 bytes that are no text) packs to 2.1 MB.
    """

    packed: int = 3 << 20
    unpacked: int = 8 << 20
    waiting: int = 8 << 20
    seconds: float = 30.0


class Room:
    """Counts what waits in memory: bodies that have come, or are coming, and are not yet on disk."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._used = limits, 0

    async def read(self, chunks: AsyncIterable[bytes]) -> bytearray:
        """Return the whole body; give its room back with :meth:`leave`. RefusedError (413, 408, 503) holds none."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.seconds):
                async for chunk in chunks:
                    self._take(len(chunk), len(body) + len(chunk))
                    body += chunk
        except TimeoutError as error:
            self.leave(body)
            raise RefusedError(
                HTTPStatus.REQUEST_TIMEOUT, f"the body did not arrive within {self._limits.seconds:g} s"
            ) from error
        except BaseException:
            self.leave(body)
            raise
        return body

    def leave(self, body: bytearray) -> None:
        """Give a body's room back."""
        self._used -= len(body)

    def _take(self, more: int, whole: int) -> None:
        if whole > self._limits.packed:
            raise too_large(f"the body is larger than {self._limits.packed} bytes")
        if self._used + more > self._limits.waiting:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "too much is arriving at once", hint="send it again later"
            )
        self._used += more


def unpack(body: bytes | bytearray, encoding: str, limits: Limits) -> bytes | bytearray:
    """Return a body's content by its Content-Encoding (gzip, or none); RefusedError (413, 415, 400) if it cannot be.

    Unpacking stops at the limit, however small what was sent is.
    """
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body's encoding is neither gzip nor none")
    content, packed = bytearray(), body
    try:
        while packed:
            member = zlib.decompressobj(_GZIP)
            while packed and not member.eof:
                content += member.decompress(packed, _STEP)
                packed = member.unconsumed_tail
                if len(content) > limits.unpacked:
                    raise too_large(f"the body unpacks to more than {limits.unpacked} bytes")
            if not member.eof:
                raise RefusedError(HTTPStatus.BAD_REQUEST, "the body's gzip data ends too early")
            packed = member.unused_data
    except zlib.error as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not gzip: {error}") from error
    return content


def too_large(message: str) -> RefusedError:
    """Return the refusal of a body that is over a limit."""
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)

"""Hard links: a sealed file changed under a name that is not sealed.

The kernel names the file by the path that was opened. Making a link is told as a change of the file's link count,
then a new entry with the same handle: such files are remembered, and when one is changed under an unwatched name,
the watched trees are searched once for its inode. Links older than the sensor are not known to it.
"""

from collections import OrderedDict, deque
from typing import TypeVar

from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_abi import Record

LIMIT = 4096
SEARCHES_PER_MINUTE = 20
_Value = TypeVar("_Value")
_CHANGES = abi.CONTENT | abi.ATTRIB


class Links:
    """The files that were given a second name, by handle, and where the watched trees have them once searched for."""

    def __init__(self) -> None:
        self._counted: OrderedDict[bytes, None] = OrderedDict()
        self._linked: OrderedDict[bytes, tuple[bytes, ...] | None] = OrderedDict()
        self._searches: deque[float] = deque(maxlen=SEARCHES_PER_MINUTE)

    def see(self, record: Record) -> bool:
        """Take every record of a file; return whether it tells of a link being made."""
        if not record.directory:
            if record.mask & abi.ATTRIB:
                self.counted(record.target)
        elif record.mask & abi.CREATE and record.target in self._counted:
            del self._counted[record.target]
            self.add(record.target)
            return True
        return False

    def counted(self, target: bytes) -> None:
        """Take a file whose link count has changed."""
        _put(self._counted, target, None)

    def add(self, target: bytes) -> None:
        """Take a file that has names yet to be searched for."""
        _put(self._linked, target, None)

    def concerned(self, record: Record) -> bool:
        """Tell whether a change under one name may be one of another, watched name too."""
        return bool(record.mask & _CHANGES) and record.target in self._linked

    def knows(self, target: bytes) -> bool:
        """Tell whether anything is known of a file's names."""
        return target in self._linked or target in self._counted

    def is_linked(self, target: bytes) -> bool:
        """Tell whether a file was given a second name."""
        return target in self._linked

    def forget_names(self, target: bytes | None = None) -> None:
        """Have the names of one file, or of all, searched for again: they have changed."""
        for one in list(self._linked) if target is None else [target]:
            self._linked[one] = None

    def known(self, target: bytes) -> tuple[bytes, ...] | None:
        """Return the watched names of a file, None when they have yet to be searched for."""
        return self._linked.get(target)

    def learn(self, target: bytes, names: tuple[bytes, ...]) -> None:
        """Remember what a search found."""
        _put(self._linked, target, names)

    def may_search(self, now: float) -> bool:
        """Tell whether one more search is bearable, and count it."""
        if len(self._searches) == SEARCHES_PER_MINUTE and now - self._searches[0] < 60.0:  # noqa: PLR2004 - a minute
            return False
        self._searches.append(now)
        return True


def _put(table: OrderedDict[bytes, _Value], key: bytes, value: _Value) -> None:
    table[key] = value
    if len(table) > LIMIT:
        table.popitem(last=False)

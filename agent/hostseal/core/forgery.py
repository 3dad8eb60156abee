"""Lines and programs in sshd's name that are not root's sshd: reported once a minute for each user. Pure values."""

import msgspec

EVERY_SECONDS = 60.0
USERS_KEPT = 256


class Forger(msgspec.Struct, frozen=True):
    """When one user was last reported (monotonic seconds), and how much was seen since."""

    reported: float
    unreported: int = 0


class Forgeries(msgspec.Struct, frozen=True):
    """What was seen of each user, by uid; at most `USERS_KEPT` of them."""

    by_uid: dict[int, Forger] = {}

    def seen(self, uid: int, now: float) -> tuple["Forgeries", int]:
        """Return the table after one more, and how many are to be reported now: 0 while it is too soon."""
        known = self.by_uid.get(uid)
        if known is None or known.reported + EVERY_SECONDS <= now:
            count = 1 if known is None else known.unreported + 1
            return self._with(uid, Forger(now)), count
        return self._with(uid, Forger(known.reported, known.unreported + 1)), 0

    def due(self, now: float) -> tuple["Forgeries", dict[int, int]]:
        """Return the table, and how many are to be reported of each user whose minute is over."""
        over = {
            uid: count
            for uid, count in self.rest().items()
            if self.by_uid[uid].reported + EVERY_SECONDS <= now
        }
        return Forgeries({**self.by_uid, **{uid: Forger(now) for uid in over}}), over

    def rest(self) -> dict[int, int]:
        """Return how many of each user are not reported yet."""
        return {uid: known.unreported for uid, known in self.by_uid.items() if known.unreported}

    def _with(self, uid: int, forger: Forger) -> "Forgeries":
        table = {other: known for other, known in self.by_uid.items() if other != uid} | {uid: forger}
        if len(table) > USERS_KEPT:
            del table[next(iter(table))]
        return Forgeries(table)

"""What sudo and su say in the journal; the entries are as Debian 12's sudo 1.9.13 and su 2.38 wrote them."""

from typing import Any

import pytest

from hostseal.core.privilege_lines import Gained, read

SUDO = {"_EXE": "/usr/bin/sudo", "_AUDIT_SESSION": 4177, "_PID": 80, "_UID": 2001}


def entry(message: str, **more: Any) -> dict[str, Any]:
    return {**SUDO, "MESSAGE": message, **more}


def test_sudo() -> None:
    said = entry("pam_unix(sudo:session): session opened for user root(uid=0) by (uid=2001)")
    assert read(said) == Gained(audit_session=4177, target="root", target_uid=0, via="/usr/bin/sudo", pid=80)


def test_su() -> None:
    said = entry(
        "pam_unix(su-l:session): session opened for user bob(uid=2002) by alice(uid=2001)", _EXE="/usr/bin/su"
    )
    assert read(said) == Gained(audit_session=4177, target="bob", target_uid=2002, via="/usr/bin/su", pid=80)


@pytest.mark.parametrize(
    "said",
    [
        entry("   alice : PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/true"),
        entry("alice : PWD=/tmp/pam_unix(sudo:session): session opened for user root(uid=0) by (uid=0)"),
        entry("pam_unix(sudo:session): session closed for user root"),
        entry(
            "pam_unix(sudo:session): session opened for user root(uid=0) by (uid=2001)",
            _EXE="/home/alice/sudo",
        ),
        entry(
            "pam_unix(sudo:session): session opened for user root(uid=0) by (uid=2001)", _AUDIT_SESSION=None
        ),
        entry("pam_unix(sudo:session): session opened for user root(uid=0) by (uid=2001) and more"),
        {**SUDO},
        {},
    ],
)
def test_what_is_not_believed(said: dict[str, Any]) -> None:
    assert read(said) is None

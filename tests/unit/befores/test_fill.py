"""What is kept at the start: the wanted files, each read once, and nothing that is never shown."""

import os
import socket
import threading
from pathlib import Path

import pytest

from hostseal.befores import fill
from hostseal.befores.choice import Choice
from hostseal.befores.present import Kind, look
from hostseal.befores.store import BeforeStore, Missing
from hostseal.config.files import NEVER_SHOWN, DiffSettings

WIDE = 1 << 20


def filled(store: BeforeStore, choice: Choice, limit: int = 1000) -> bool:
    stop = threading.Event()
    fill.clear_out(store, choice, stop)
    return fill.fill(store, choice, choice.bases(), limit, stop)


def test_text_is_kept_and_what_is_none_is_noted(tmp_path: Path) -> None:
    etc, store = tmp_path / "etc", BeforeStore(tmp_path / "befores", WIDE)
    (etc / "deep" / "er").mkdir(parents=True)
    (etc / "a.conf").write_bytes(b"a\n")
    (etc / "deep" / "er" / "b").write_bytes(b"b\n")
    (etc / "large").write_bytes(b"x" * 1001)
    (etc / "binary").write_bytes(b"\0")
    (etc / "link").symlink_to("a.conf")
    (etc / "loop").symlink_to(".")
    os.mkfifo(etc / "pipe")
    (etc / "my.key").write_bytes(b"secret\n")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(etc / "socket"))
        assert filled(store, Choice(DiffSettings(paths=(f"{etc}/*",))))
    here = os.fsencode(etc)
    assert {path.removeprefix(here): store.before(path) for path in store.paths()} == {
        b"/a.conf": b"a\n",
        b"/deep/er/b": b"b\n",
        b"/large": Missing.UNKEPT,
        b"/binary": Missing.UNKEPT,
        b"/link": Missing.UNKEPT,
        b"/loop": Missing.UNKEPT,
        b"/pipe": Missing.UNKEPT,
        b"/socket": Missing.UNKEPT,
    }


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    etc, store = tmp_path / "etc", BeforeStore(tmp_path / "befores", WIDE)
    etc.mkdir()
    (etc / "a").write_bytes(b"one\n")
    (etc / "b").write_bytes(b"one\n")
    choice, read = Choice(DiffSettings(paths=(f"{etc}/*",))), []

    def reading(path: bytes, limit: int) -> object:
        read.append(os.path.basename(path))
        return look(path, limit)

    monkeypatch.setattr(fill, "look", reading)
    filled(store, choice)
    (etc / "b").write_bytes(b"two\n")
    (etc / "c").write_bytes(b"new\n")
    filled(store, choice)
    assert (sorted(read[:2]), sorted(read[2:])) == ([b"a", b"b"], [b"b", b"c"])
    assert store.before(os.fsencode(etc / "b")) == b"two\n"


def test_later_only_what_is_not_known_is_read_for_the_rest_waits_for_its_change_set(tmp_path: Path) -> None:
    etc, store = tmp_path / "etc", BeforeStore(tmp_path / "befores", WIDE)
    etc.mkdir()
    (etc / "known").write_bytes(b"one\n")
    choice = Choice(DiffSettings(paths=(f"{etc}/*",)))
    filled(store, choice)
    (etc / "known").write_bytes(b"two\n")
    (etc / "other").write_bytes(b"new\n")
    assert fill.add(store, choice, choice.bases(), 1000, threading.Event())
    assert [store.before(os.fsencode(etc / name)) for name in ("known", "other")] == [b"one\n", b"new\n"]


def test_what_went_or_is_excluded_by_now_is_forgotten(tmp_path: Path) -> None:
    etc, store = tmp_path / "etc", BeforeStore(tmp_path / "befores", WIDE)
    etc.mkdir()
    for name in ("stays", "goes", "private"):
        (etc / name).write_bytes(b"x\n")
    filled(store, Choice(DiffSettings(paths=(f"{etc}/*",))))
    (etc / "goes").unlink()
    filled(store, Choice(DiffSettings(paths=(f"{etc}/*",), exclude=("*/private",))))
    assert store.paths() == [os.fsencode(etc / "stays")]


def test_it_stops_when_told(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    (tmp_path / "a").write_bytes(b"x\n")
    store, choice = BeforeStore(tmp_path / "befores", WIDE), Choice(DiffSettings(paths=(f"{tmp_path}/*",)))
    assert not fill.fill(store, choice, choice.bases(), 1000, stop)
    assert store.paths() == []


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/nshadow", "/etc/.shadow.swp", "/etc/.#shadowXyz",
        "/etc/ssh/ssh_host_ed25519_key", "/etc/ssl/private/site.pem", "/etc/nginx/tls/site.key", "/root/.ssh/id_ed25519",
        "/home/bob/.ssh/id_rsa", "/etc/hostseal/opa/token", "/etc/hostseal/ledger/token", "/etc/hostseal/opa/server.key",
        "/etc/hostseal/opa/gate-token", "/etc/hostseal/opa/operator-token",
        "/etc/letsencrypt/archive/x/privkey1.pem", "/etc/ppp/chap-secrets", "/etc/ipsec.secrets", "/etc/wireguard/wg0.conf",
        "/etc/apache2/.htpasswd", "/etc/security/opasswd", "/etc/krb5.keytab", "/root/.bash_history",
    ],
)  # fmt: skip
def test_no_setting_takes_out_what_is_never_shown(path: str) -> None:
    assert not Choice(DiffSettings(paths=("*",), exclude=())).wants(path.encode())


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/etc/motd", True), ("/etc/ssh/sshd_config.d/10-hostseal.conf", True), ("/etc/sudoers.d/bob", True),
        ("/etc/ssh/ssh_host_ed25519_key.pub", True), ("/var/spool/cron/crontabs/bob", True), ("/etc/passwd", True),
        ("/home/bob/.ssh/authorized_keys", True), ("/root/.bashrc", True), ("/root/notes", False), ("/usr/bin/ls", False),
        ("/home/bob/notes", False), ("/boot/grub/grub.cfg", True), ("/boot/vmlinuz", False),
    ],
)  # fmt: skip
def test_of_what_the_defaults_show_the_content(path: str, wanted: bool) -> None:
    assert Choice(DiffSettings()).wants(path.encode()) is wanted


def test_the_globs_say_where_to_look_and_no_further(tmp_path: Path) -> None:
    for name in ("home/a/.ssh", "home/b", "root/.bash.d", "root/.cache/x"):
        (tmp_path / name).mkdir(parents=True)
    paths = (f"{tmp_path}/home/*/.ssh/*", f"{tmp_path}/root/.bash*", f"{tmp_path}/root/.profile")
    choice = Choice(DiffSettings(paths=paths))
    assert choice.bases() == [
        os.fsencode(tmp_path / name) for name in ("home/a/.ssh", "root", "root/.profile")
    ]
    assert choice.leads_on(os.fsencode(tmp_path / "root/.bash.d"))
    assert not choice.leads_on(os.fsencode(tmp_path / "root/.cache"))


def test_never_shown_are_globs_of_whole_paths() -> None:
    assert [glob for glob in NEVER_SHOWN if not glob.startswith(("/", "*"))] == []


def test_a_file_that_grew_beyond_the_limit_while_it_was_read_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 11)
    assert look(os.fsencode(tmp_path / "a"), 10).kind is Kind.OTHER
    assert look(os.fsencode(tmp_path / "a"), 11).content == b"x" * 11
    assert look(b"/dev/zero", 11).kind is Kind.OTHER
    assert look(b"/proc/self/environ/x", 11).kind is Kind.NOTHING

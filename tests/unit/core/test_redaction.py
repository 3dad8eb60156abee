"""Secrets are taken out of both texts before anything is compared: of every kind, wherever they stand."""

import string
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostseal.core.redaction import redact
from hostseal.core.secret_words import is_plain
from hostseal.core.text_diff import Bounds, unified
from hostseal.sensors.secret_detectors import detect

WIDE = Bounds(lines=10_000, size=1 << 20)
ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
ANY = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "\"'`<>\\")


def of(alphabet: str, least: int, most: int | None = None) -> st.SearchStrategy[str]:
    """Return texts that are none of the words which every program knows: who takes `yes` for a password has none."""
    return st.text(alphabet, min_size=least, max_size=most or least).filter(lambda text: not is_plain(text))


def random(alphabet: str, length: int) -> st.SearchStrategy[str]:
    """Return what chance makes, for what is known as a secret by its looks alone: a row of zeros is none."""
    return st.integers(0, 2**32).map(lambda seed: "".join(Random(seed).choices(alphabet, k=length)))


KINDS: dict[str, tuple[st.SearchStrategy[str], Callable[[str], str]]] = {
    "password": (of(ANY, 10, 24), "password = {}".format),
    "password, in quotes": (of(ANY + " #;,", 10, 24), 'db_password: "{}"'.format),
    "password, remarked": (of(ANY, 10, 24), "#Password={}".format),
    "password, several words": (of(ALNUM + " ", 10, 24), "passphrase: x{}".format),
    "password, shell": (of(ALNUM + "!%^", 10, 24), "export DB_PASSWORD={}".format),
    "password, unit": (of(ALNUM + "!%^", 10, 24), "Environment=A=b DB_PASSWORD={} C=d".format),
    "password, unit in quotes": (of(ALNUM + " !%^", 10, 24), 'Environment="DB_PASSWORD={}"'.format),
    "password, option": (of(ALNUM + "!%^", 10, 24), "ExecStart=/bin/tool --password {} --verbose".format),
    "password, json": (of(ANY, 10, 24), '{{"user": "a", "password": "{}", "port": 1}}'.format),
    "password, xml": (of(ANY.replace("&", ""), 10, 24), "<db><password>{}</password></db>".format),
    "password, xml attribute": (of(ALNUM, 10, 24), '<property name="db.password" value="{}"/>'.format),
    "password, netrc": (of(ALNUM + "!%^", 10, 24), "machine h login me password {}".format),
    "password, ldap": (of(ANY, 10, 24), "bindpw {}".format),
    "password, redis": (of(ANY, 10, 24), "requirepass {}".format),
    "password, env of a container": (of(ALNUM, 10, 24), "- name: DB_PASSWORD\n  value: {}".format),
    "password, over a continuation": (of(ALNUM, 10, 24), "password = start\\\n   {}".format),
    "password, block of yaml": (of(ALNUM, 10, 24), "password: |\n  first\n\n  {}\nuser: me".format),
    "password, quoted over lines": (of(ALNUM, 10, 24), 'password="first\n{}"'.format),
    "token": (of(ALNUM + "-_", 16, 40), "api_token: {}".format),
    "secret": (of(BASE64, 16, 40), "client_secret={}".format),
    "key by name": (random(ALNUM, 30), "tls-key = {}".format),
    "header": (of(ALNUM + "._~+/", 20, 60), "Authorization: Bearer {}".format),
    "header, in code": (random(BASE64, 40), "curl -H 'X-Auth: Basic {}=' host".format),
    "url": (of(ALNUM + "%!*.,:@", 9, 24), "db = postgres://app:{}@db.example/app".format),
    "url, user is a token": (random(ALNUM, 30), "url = https://{}@git.example/x".format),
    "crypt": (of("./" + ALNUM, 43, 86), "alice:$6$salt${}:19000:0:99999:7:::".format),
    "yescrypt": (of("./" + ALNUM, 43), "alice:$y$j9T$abcdefgh${}:19000:0:99999:7:::".format),
    "old crypt": (of("./" + ALNUM, 13), "alice:{}:1000:1000::/home/alice:/bin/sh".format),
    "ldap's hash": (of(BASE64, 28), "userPassword: {{SSHA}}{}".format),
    "aws id": (of(string.ascii_uppercase + string.digits, 16), "id AKIA{}".format),
    "aws secret": (of(BASE64, 40), "aws_secret_access_key = {}".format),
    "wifi": (of(ANY, 10, 24), 'network={{\n  ssid="home"\n  psk={}\n}}'.format),
    "wifi, interfaces": (of(ANY, 10, 24), "    wpa-psk {}".format),
    "ipsec": (of(ANY, 10, 24), '10.0.0.1 10.0.0.2 : PSK "{}"'.format),
    "wireguard": (of(BASE64, 43), "PrivateKey = {}=".format),
    "github": (of(ALNUM, 36), "remote ghp_{}".format),
    "jwt": (of(ALNUM + "-_", 20, 40), "value eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}".format),
    "hex": (random(HEX, 40), "id {}".format),
    "random": (random(BASE64, 40), "X {}".format),
    "uuid": (of(HEX, 12), "client 1a2b3c4d-5e6f-4a1b-8c2d-{}".format),
    "private key": (of(BASE64, 64), "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\nYWJj\n-----END OPENSSH PRIVATE KEY-----".format),
    "private key, cut off": (of(BASE64, 64), "-----BEGIN RSA PRIVATE KEY-----\nYWJj\n{}".format),
    "private key, beginning cut off": (of(BASE64, 64), "{}\nYWJjYWJjYWJjYWJj\n-----END RSA PRIVATE KEY-----".format),
    "private key, in yaml": (of(BASE64, 64), "key: |\n  -----BEGIN PRIVATE KEY-----\n  {}\n  -----END PRIVATE KEY-----".format),
    "private key, in json": (of(BASE64, 64), '"k": "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n"'.format),
    "private key, putty": (of(BASE64, 64), "Public-Lines: 1\nAAAA\nPrivate-Lines: 2\nAAAAZ\n{}\nPrivate-MAC: 00".format),
}  # fmt: skip

LINES = st.lists(
    st.one_of(
        st.sampled_from(["# a remark", "[section]", "port = 8080", "", "    indented: yes", "listen 0.0.0.0;", "}"]),
        st.text(string.ascii_lowercase + " =:#;{}[]()", max_size=30),
    ),
    max_size=6,
)  # fmt: skip


def shown(before: str | None, after: str | None) -> str:
    found = unified(*redact(before, after, b"/etc/x", detect), WIDE)
    return "" if found is None else found.text


def pieces(secret: str) -> set[str]:
    return {secret[start : start + 8] for start in range(len(secret) - 7)}


@pytest.mark.parametrize("kind", KINDS)
@settings(derandomize=True, max_examples=10, deadline=None)
@given(data=st.data())
def test_no_piece_of_a_secret_is_ever_shown(kind: str, data: st.DataObject) -> None:
    secrets, write = KINDS[kind]
    old, new = data.draw(secrets), data.draw(secrets)
    above, below = data.draw(LINES), data.draw(LINES)
    texts = ["\n".join([*above, write(secret), *below]) + "\n" for secret in (old, new)]
    around = "\n".join([*above, write(""), *below])
    secret_pieces = {piece for piece in pieces(old) | pieces(new) if piece not in around}
    for before, after in (
        (None, texts[0]),
        (texts[0], None),
        (texts[0], texts[1]),
        (texts[0], texts[0] + "new line\n"),
    ):
        text = shown(before, after)
        assert [piece for piece in secret_pieces if piece in text] == []


def test_the_name_stays_and_the_number_says_whether_the_secret_changed() -> None:
    before = "user = app\npassword = correct-horse\ntoken: abc123abc123\n"
    after = "user = app\npassword = battery-staple\ntoken: abc123abc123\n"
    assert shown(before, after).splitlines()[3:] == [
        " user = app",
        "-password = <masked 1>",
        "+password = <masked 3>",
        " token: <masked 2>",
    ]


def test_a_secret_is_taken_out_where_it_stands_without_its_name_too() -> None:
    text = shown(
        None, "password = correct-horse  # from bob\nlink /x?correct-horse\n# it was correct-horse before\n"
    )
    assert "correct-horse" not in text


def test_lines_keep_their_numbers_under_a_masked_block() -> None:
    block = "-----BEGIN PRIVATE KEY-----\nYWJj\nZGVm\n-----END PRIVATE KEY-----\n"
    text = shown(block + "a\nb\nc\nd\n", block + "a\nb\nc\nD\n")
    assert "@@ -5,4 +5,4 @@" in text.splitlines()


SEEN = [
    "PasswordAuthentication yes",
    "PermitRootLogin prohibit-password",
    "PermitEmptyPasswords no",
    "AuthorizedKeysFile .ssh/authorized_keys",
    "HostKey /etc/ssh/ssh_host_ed25519_key",
    "ssl_certificate_key /etc/ssl/private/site.key;",
    "IdentityFile ~/.ssh/id_ed25519",
    "password_file = /run/credentials/app/password",
    "PASS_MAX_DAYS 99999",
    "password_min_length = 12",
    "token_ttl: 3600",
    "alice ALL=(ALL) NOPASSWD: ALL",
    "bob ALL=(root) NOPASSWD: /usr/bin/systemctl restart nginx.service",
    "root:x:0:0:root:/root:/bin/bash",
    "sudo:x:27:alice,bob",
    "* * * * * root /usr/local/lib/evil/backdoor-updater-x86_64 --quiet",
    "ExecStart=/usr/lib/systemd/systemd-networkd-wait-online --timeout=120",
    "deb http://deb.example/debian bookworm main contrib",
    "net.ipv4.conf.all.accept_source_route = 0",
    "UUID=0a3407de-014b-458b-b5c1-848e92a327a3 / ext4 errors=remount-ro 0 1",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7VHXw0k5v9y4sVgxQGZ6mZpYkqZ7QhP1p5vVn6gR2J mallory@evil",
    "127.0.1.1 host.example host",
    "session required pam_unix.so",
]


@pytest.mark.parametrize("line", SEEN)
def test_what_is_no_secret_is_shown(line: str) -> None:
    assert shown(None, f"{line}\n").splitlines()[3] == f"+{line}"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (b"/etc/pam.d/common-password", "password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt"),
        (b"/etc/pam.d/x", "password requisite pam_pwquality.so retry=3"),
        (b"/etc/sudoers.d/x", "alice ALL = NOPASSWD: /usr/bin/passwd bob, !/usr/bin/passwd root"),
        (b"/etc/nsswitch.conf", "passwd: files systemd extrausers"),
    ],
)  # fmt: skip
def test_words_of_some_files_are_their_own(path: bytes, line: str) -> None:
    found = unified(*redact(None, f"{line}\n", path, detect), WIDE)
    assert found is not None
    assert found.text.splitlines()[3] == f"+{line}"


HARD = {
    "one long line": "a" * 65_536,
    "names": "password " * 7_000,
    "assignments": "pw=" * 21_000,
    "open quotes": 'password="' * 6_000,
    "blocks that never end": "-----BEGIN PRIVATE KEY-----\n" * 2_300,
    "ends alone": "-----END PRIVATE KEY-----\n" * 2_500,
    "lines of a key, ends below": ("A" * 70 + "\n") * 700 + "-----END PRIVATE KEY-----\n" * 400,
    "addresses": "://a:" * 13_000,
    "tags": "<password>" * 6_500,
    "continuations": "password=\\\n" * 6_000,
    "putty": "Private-Lines: 9999\n" * 3_000,
    "secrets": "\n".join(f"password=x{number:024x}" for number in range(1_500)),
}


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.timeout(20)
def test_our_own_rules_take_no_more_than_a_while_whatever_the_text(kind: str) -> None:
    text = HARD[kind]
    before, after = redact(text, text[:30_000] + "new\n" + text[30_000:], b"/etc/x", lambda _: ())
    assert before != after


@pytest.mark.parametrize(
    "line", ["password" + " " * 1990, "cl_key" + " " * 1990, "/" * 2040, "aws" + "key " * 400]
)
@pytest.mark.timeout(20)
def test_a_line_that_the_library_would_take_minutes_for_is_not_put_to_it(line: str) -> None:
    text = redact(None, f"a\n{line}\nb\n", b"/etc/x", detect)[1]
    assert (text or "").split("\n")[::2] == ["a", "b"]

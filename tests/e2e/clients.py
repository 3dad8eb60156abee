"""What people and programs log in with: each client of the classification's table, on a real connection."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pexpect

from e2e import person, record
from e2e.test_whole_path import free_port
from lab import Host

USER = "alice"


def ssh(host: Host, *options: str) -> list[str]:
    """Return the words of an ssh command of the person's, with options before its destination."""
    *words, target = host.ssh_args(USER)
    return [*words, *options, target]


def run(argv: Sequence[str | Path], *, given: bytes = b"", environment: dict[str, str] | None = None) -> None:
    """Run a client to its end; it must succeed."""
    done = subprocess.run(
        argv,
        input=given,
        capture_output=True,
        timeout=60,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    assert done.returncode == 0, (argv, done.stdout, done.stderr)


@contextmanager
def held(argv: Sequence[str]) -> Iterator[None]:
    """Hold a connection that does nothing by itself."""
    silent = subprocess.DEVNULL
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=silent, stderr=silent) as process:
        try:
            yield
        finally:
            process.terminate()


def reload_sshd(host: Host) -> None:
    """Have sshd read its settings again; return when it takes connections."""
    host.peek(["systemctl", "reload", "ssh"])
    record.wait_until(lambda: _connects(host), what="sshd is back")


def interactive(host: Host, _: Path) -> None:
    with person.shell(host, USER) as session:
        person.run(session, "true")


def terminal_from_a_script(host: Host, _: Path) -> None:
    run([*ssh(host, "-tt"), "true"])


def command(host: Host, _: Path) -> None:
    run([*ssh(host), "true"])


def shell_without_terminal(host: Host, _: Path) -> None:
    run(ssh(host, "-T"), given=b"true\n")


def sftp(host: Host, _: Path) -> None:
    *words, target = ssh(host)
    run(["sftp", "-b", "-", *words[1:], target], given=b"pwd\n")


def scp(host: Host, folder: Path) -> None:
    *words, target = ssh(host)
    run(["scp", *words[1:], f"{target}:/etc/hostname", folder / "copied"])


def old_scp(host: Host, folder: Path) -> None:
    *words, target = ssh(host)
    # About a second's worth at 8 Mbit/s: what is over within milliseconds may pass as a command (docs/reference/session-story.md).
    run(["scp", "-O", "-l", "8000", *words[1:], f"{target}:/usr/sbin/sshd", folder / "copied"])


def local_forward(host: Host, _: Path) -> None:
    _no_channel(host, "-N", "-L", f"127.0.0.1:{free_port()}:127.0.0.1:22")


def dynamic_forward(host: Host, _: Path) -> None:
    _no_channel(host, "-N", "-D", f"127.0.0.1:{free_port()}")


def stdio_forward(host: Host, _: Path) -> None:
    _no_channel(host, "-W", "127.0.0.1:22")


def multiplexed(host: Host, folder: Path) -> None:
    """Two terminals and a command over one connection."""
    *words, target = ssh(host)
    place = words.index("ControlPath=none")
    shared = [*words[:place], f"ControlPath={folder}/mux", *words[place + 1 :]]
    with held([*shared, "-M", "-N", target]):
        record.wait_until((folder / "mux").exists, what="the master connection")
        first, second = (
            pexpect.spawn(shared[0], [*shared[1:], "-tt", target], encoding="utf-8", timeout=30)
            for _ in range(2)
        )
        for terminal in (first, second):
            terminal.expect(person.PROMPT)
        run([*shared, target, "true"])
        for terminal in (first, second):
            terminal.sendline("exit")
            terminal.expect(pexpect.EOF)
            terminal.close()


def ansible(host: Host, folder: Path) -> None:
    _ansible(host, folder, pipelining=False)


def ansible_pipelined(host: Host, folder: Path) -> None:
    _ansible(host, folder, pipelining=True)


def rsync(host: Host, folder: Path) -> None:
    *words, target = ssh(host)
    shell = " ".join(words)
    run(["rsync", "-e", shell, f"{target}:/etc/hostname", folder / "copied"])


def git(host: Host, folder: Path) -> None:
    host.peek(
        "rm -rf /home/alice/repo; git init -q --bare /home/alice/repo; chown -R alice: /home/alice/repo"
    )
    *words, target = ssh(host)
    run(["git", "ls-remote", f"{target}:repo"], environment={"GIT_SSH_COMMAND": " ".join(words)})


def by_password(host: Host, _: Path) -> None:
    host.peek("echo alice:correct-horse | chpasswd")
    words = [word for word in ssh(host) if not word.startswith(("BatchMode=", "PreferredAuthentications="))]
    plain = [word for at, word in enumerate(words) if word != "-o" or "=" in words[at + 1]]
    options = ["-o", "PreferredAuthentications=password", "-o", "PubkeyAuthentication=no"]
    session = pexpect.spawn(plain[0], [*options, *plain[1:], "true"], encoding="utf-8", timeout=30)
    session.expect("password:")
    session.sendline("correct-horse")
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 0


def by_certificate(host: Host, folder: Path) -> None:
    authority, key = folder / "authority", folder / "key"
    for path in (authority, key):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path])
    run(["ssh-keygen", "-q", "-s", authority, "-I", "TICKET-1", "-n", USER, "-V", "+10m", f"{key}.pub"])
    drop_in = "/etc/ssh/sshd_config.d/50-test-authority.conf"
    trusted = (folder / "authority.pub").read_text("ascii")
    host.peek(
        f"cat > /run/authority.pub; echo TrustedUserCAKeys /run/authority.pub > {drop_in}", input=trusted
    )
    reload_sshd(host)
    try:
        words = ssh(host)
        words[words.index("-i") + 1] = str(key)
        run([*words, "true"])
    finally:
        host.peek(["rm", drop_in])
        reload_sshd(host)


def _no_channel(host: Host, *options: str) -> None:
    before = record.last_seq(host)
    with held(ssh(host, *options)):
        record.wait_for(host, before, "session.channel")


def _ansible(host: Host, folder: Path, *, pipelining: bool) -> None:
    *words, _ = ssh(host)
    options = " ".join(words[words.index("UserKnownHostsFile=" + str(host.known_hosts)) - 1 :])
    environment = {
        "ANSIBLE_HOME": str(folder),
        "ANSIBLE_PIPELINING": str(pipelining),
        "ANSIBLE_SSH_ARGS": options,
        "ANSIBLE_SSH_TRANSFER_METHOD": "sftp",
        "ANSIBLE_NOCOLOR": "1",
    }
    program = Path(sys.executable).with_name("ansible")
    python = "ansible_python_interpreter=/usr/bin/python3"
    run(
        [program, "all", "-i", f"{host.address},", "-u", USER, "-m", "ping", "-e", python],
        environment=environment,
    )


def _connects(host: Host) -> bool:
    try:
        with socket.create_connection((host.address, 22), timeout=5) as probe:
            return probe.recv(4) == b"SSH-"
    except OSError:
        return False

"""OPA, settings and playbooks that fail: nothing is lost, and `status` says what is wrong."""

import pytest

from e2e import person, record
from e2e.test_a_login_is_never_blocked import broken, shell
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SQUATTER = """
import http.server, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/run/squat.pem", "/run/squat.key")
class Yes(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        open("/run/squat.seen", "a").write(str(self.headers))
        self.send_response(200); self.end_headers(); self.wfile.write(b'{}')
server = http.server.HTTPServer(("127.0.0.1", 8181), Yes)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def test_without_opa_events_wait_and_are_decided_later_in_order(sealed: Host) -> None:
    before = record.last_seq(sealed)
    with broken(sealed, "systemctl stop opa", "systemctl start opa"):
        assert sealed.ssh("alice", "true").returncode == 0
        assert record.standing(sealed) == "suspect"
        said = record.status(sealed)
        assert "no answer" in said["agent"]["spool"]["trouble"]
        assert said["spool"]["pending"] >= 2
    record.wait_for(sealed, before, "session.closed")
    decided = [r for r in record.events(sealed, before) if r["decision_id"]]
    assert [r["decided"] for r in decided] == sorted(r["decided"] for r in decided)
    record.wait_until(lambda: record.standing(sealed) == "sealed", what="the suspicion is lifted")


def test_a_squatter_on_opas_port_gets_neither_an_answer_in_nor_the_token(sealed: Host) -> None:
    before = record.last_seq(sealed)
    certificate = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1"
        " -addext subjectAltName=IP:127.0.0.1 -keyout /run/squat.key -out /run/squat.pem"
    )
    squat = f"systemctl stop opa; {certificate}; cat > /run/squat.py <<'EOF'{SQUATTER}EOF\n"
    start = "systemd-run --unit squat /usr/bin/python3 /run/squat.py"
    with broken(sealed, squat + start, "systemctl stop squat; rm -f /run/squat*; systemctl start opa"):
        assert sealed.ssh("alice", "true").returncode == 0
        record.wait_until(
            lambda: "SSLError" in (record.status(sealed)["agent"]["spool"]["trouble"] or ""),
            what="the squatter is refused",
        )
        assert shell(sealed, "cat /run/squat.seen 2>/dev/null || true") == ""
        assert record.status(sealed)["spool"]["pending"] >= 2
    record.wait_for(sealed, before, "session.closed")


def test_bad_settings_leave_the_running_ones_in_force(sealed: Host) -> None:
    file = "/etc/hostseal/config.d/99-bad.toml"
    with broken(
        sealed, f"echo '[files]\nbackend = \"fanotif\"' > {file}", f"rm {file}; systemctl reload hostseal"
    ):
        shell(sealed, "systemctl reload hostseal")
        said = record.wait_until(
            lambda: "99-bad.toml:2" in shell(sealed, "systemctl show -p StatusText hostseal"),
            what="the complaint",
        )
        assert said
        assert record.status(sealed)["agent"]["parts"]["files"]["alive"]
        shell(sealed, "systemctl restart hostseal")
        record.wait_until(
            lambda: record.status(sealed)["agent"], what="the agent runs on its last good settings"
        )
        checked = sealed.peek(["/opt/hostseal/bin/hostseal", "config", "check"], check=False)
        assert checked.returncode == 2
        assert "auto, fanotify, inotify" in checked.stderr


def test_a_failing_playbook_is_tried_again_until_it_works_and_is_visible(sealed: Host) -> None:
    playbook = "/etc/hostseal/playbooks/flag.yml"
    with broken(sealed, f"mv {playbook} /run/flag.yml", f"mv /run/flag.yml {playbook}"):
        with person.shell(sealed, "alice") as session:
            person.run(session, "true")
        failed = record.wait_until(
            lambda: [a for a in record.status(sealed)["actions"] if a["error"] and a["state"] == "queued"],
            what="the failed try is visible",
        )
        assert failed[-1]["attempts"] >= 1
    done = record.wait_until(
        lambda: [
            a
            for a in record.status(sealed)["actions"]
            if a["id"] == failed[-1]["id"] and a["state"] == "done"
        ],
        seconds=90,
        what="the playbook has run",
    )
    assert done[0]["attempts"] > failed[-1]["attempts"]


def test_a_hanging_playbook_is_stopped_at_its_time_limit_and_tried_again_until_it_works(sealed: Host) -> None:
    playbook, limit = "/etc/hostseal/playbooks/flag.yml", "/etc/hostseal/config.d/99-limit.toml"
    hanging = "- {hosts: localhost, gather_facts: false, tasks: [{ansible.builtin.command: {argv: [sleep, '600']}}]}"
    break_it = f"""
        mv {playbook} /run/flag.yml; printf '%s' "{hanging}" > {playbook}
        printf '[actions]\ntime_limit_seconds = 5\n' > {limit}; systemctl restart hostseal"""
    mend_it = f"mv /run/flag.yml {playbook}; rm {limit}; systemctl restart hostseal"
    with broken(sealed, break_it, mend_it):
        with person.shell(sealed, "alice") as session:
            person.run(session, "true")
        hung = record.wait_until(
            lambda: [a for a in record.status(sealed)["actions"] if a["error"] and a["state"] != "done"],
            what="the hanging try was stopped",
        )[-1]
        assert "timeout" in hung["error"]
        assert "timeout" in sealed.peek([record.HOSTSEAL, "status"], check=False).stdout
        assert shell(sealed, "pgrep -f 'slee[p] 600' | wc -l").strip() == "0"
    record.wait_until(
        lambda: [
            a for a in record.status(sealed)["actions"] if a["id"] == hung["id"] and a["state"] == "done"
        ],
        seconds=90,
        what="the playbook has run",
    )


def test_hostile_names_are_stored_faithfully_shown_escaped_and_never_interpreted(sealed: Host) -> None:
    before = record.last_seq(sealed)
    name = b"/etc/hs-{{ lookup('pipe','touch pwned') }}\n\x1b[31m\xff\"'"
    script = f"import os; os.close(os.open(bytes.fromhex('{name.hex()}'), os.O_CREAT))"
    sealed.peek(["/usr/bin/python3", "-c", script])
    found = record.wait_for(
        sealed, before, "files.changed", lambda d: any("lookup" in p["path"] for p in d["paths"])
    )
    path = next(p for p in found["event"]["data"]["paths"] if "lookup" in p["path"])
    assert path["raw"] is not None
    shown = sealed.peek(["/opt/hostseal/bin/hostseal", "log"]).stdout
    assert "lookup('pipe'" in shown
    assert "\x1b" not in shown
    record.wait_until(
        lambda: record.status(sealed)["actions"][-1]["state"] == "done", what="the playbook has run"
    )
    assert shell(sealed, "ls / /root /var/lib/hostseal | grep -c pwned || true").strip() == "0"
    shell(sealed, "rm -f /etc/hs-*")

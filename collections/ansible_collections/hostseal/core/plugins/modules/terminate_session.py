#!/usr/bin/python

# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: terminate_session
short_description: Ends one SSH session and everything that is left of it
version_added: "0.1.0"
description:
  - Has logind end the session, then sends SIGTERM and at last SIGKILL to what is left with its audit session id.
  - Succeeds when logind knows the session no more and no process has its audit session id. That is looked at, not assumed.
  - Spared are the first process, the process the module runs in and those it descends from, and the main processes of
    the units in O(spare).
  - A session of another boot is gone already. Audit session ids begin anew with each boot.
  - The connection that a play runs over is never cut. For that session the module fails, and nothing is ended.
options:
  audit_session:
    description: The session's audit session id, as C(/proc/PID/sessionid) and C(loginctl show-session) tell it.
    type: int
    required: true
  boot_id:
    description: The boot the session belongs to, as C(/proc/sys/kernel/random/boot_id) tells it.
    type: str
    required: true
  grace_seconds:
    description: How long a process has between SIGTERM and SIGKILL.
    type: float
    default: 3.0
  deadline_seconds:
    description: When to give up, counted from the start.
    type: float
    default: 30.0
  spare:
    description: Units whose main process is never signalled.
    type: list
    elements: str
    default: [ssh.service, sshd.service, hostseal.service, opa.service]
attributes:
  check_mode:
    description: Can run in check mode and tell what would be ended.
    support: full
  diff_mode:
    description: Shows the processes before and after.
    support: full
  platform:
    description: Where it runs.
    support: full
    platforms: posix
requirements:
  - systemd with logind, Python 3.9 or later, root
seealso:
  - module: hostseal.core.lockdown
author:
  - Hostseal contributors (@hostseal)
"""

EXAMPLES = r"""
- name: End the session
  hostseal.core.terminate_session:
    audit_session: 4711
    boot_id: 0e1f2d3c-4b5a-6978-8796-a5b4c3d2e1f0
  become: true
"""

RETURN = r"""
processes:
  description: What the session still had when the module came.
  returned: always
  type: list
  elements: int
  sample: [4242, 4250]
sessions:
  description: The sessions by logind's names.
  returned: always
  type: list
  elements: str
  sample: ["12"]
"""

import os
import signal
import time

from ansible.module_utils.basic import AnsibleModule

_UNSET = 0xFFFFFFFF
_LOOK_SECONDS = 0.1


def main():
    """End the session, and look whether it is gone."""
    module = AnsibleModule(
        argument_spec=dict(
            audit_session=dict(type="int", required=True),
            boot_id=dict(type="str", required=True),
            grace_seconds=dict(type="float", default=3.0),
            deadline_seconds=dict(type="float", default=30.0),
            spare=dict(
                type="list",
                elements="str",
                default=["ssh.service", "sshd.service", "hostseal.service", "opa.service"],
            ),
        ),
        supports_check_mode=True,
    )
    audit = module.params["audit_session"]
    if not 0 <= audit < _UNSET:
        module.fail_json(msg="%d is no audit session id" % audit)
    if _read("/proc/sys/kernel/random/boot_id").replace("-", "") != module.params["boot_id"].replace("-", ""):
        module.exit_json(changed=False, processes=[], sessions=[], msg="the session belongs to another boot")
    if _audit(os.getpid()) == audit:
        module.fail_json(msg="session %d is the one this play runs over: it is not cut" % audit)
    session = Session(module, audit)
    found, named = session.processes(), session.names()
    result = dict(processes=found, sessions=named, diff=_diff(found, [] if found or named else found))
    if module.check_mode or not (found or named):
        module.exit_json(changed=bool(found or named), **result)
    left = session.end(module.params["grace_seconds"], module.params["deadline_seconds"])
    if left:
        module.fail_json(msg="session %d is not gone: %s" % (audit, left), **result)
    module.exit_json(changed=True, **result)


class Session:
    """One audit session on this boot."""

    def __init__(self, module, audit):
        self.module, self.audit = module, audit
        self.spared = {1} | _ancestors() | {self._main_pid(unit) for unit in module.params["spare"]}

    def processes(self):
        """Return the processes with the audit session id, but for those that are spared and those that are dead."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return sorted(p for p in pids if p not in self.spared and _audit(p) == self.audit and not _dead(p))

    def names(self):
        """Return logind's names of the session."""
        listed = self._run(["loginctl", "list-sessions", "--no-legend", "--no-pager"])
        names = [line.split()[0] for line in listed.splitlines() if line.strip()]
        return [name for name in names if self._audit_of(name) == str(self.audit)]

    def end(self, grace, deadline):
        """End it; return what is left of it after `deadline` seconds, in words, empty when nothing is."""
        began = time.monotonic()
        for name in self.names():
            # It may end by itself in between; whether it did is looked at below.
            self.module.run_command(["loginctl", "terminate-session", name])
        for pid in self.processes():
            self._signal(pid, signal.SIGTERM)
        while True:
            pids, names = self.processes(), self.names()
            if not pids and not names:
                return ""
            passed = time.monotonic() - began
            if passed > deadline:
                return "processes %s, sessions %s" % (pids, names)
            if passed > grace:
                for pid in pids:
                    self._signal(pid, signal.SIGKILL)
            time.sleep(_LOOK_SECONDS)

    def _signal(self, pid, number):
        # The number may be another process's by now: what is signalled is what was looked at.
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            return
        try:
            if _audit(pid) == self.audit:
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            self.module.warn("process %d cannot be signalled: %s" % (pid, error))
        finally:
            os.close(handle)

    def _audit_of(self, name):
        return self._run(["loginctl", "show-session", name, "--property=Audit", "--value"]).strip()

    def _main_pid(self, unit):
        found = self._run(["systemctl", "show", unit, "--property=MainPID", "--value"]).strip()
        return int(found) if found.isdigit() else 0

    def _run(self, command):
        dummy, output, dummy = self.module.run_command(command)
        return output


def _ancestors():
    found, pid = set(), os.getpid()
    while pid > 1:
        found.add(pid)
        stat = _read("/proc/%d/stat" % pid)
        pid = int(stat.rpartition(")")[2].split()[1]) if stat else 0
    return found


def _audit(pid):
    text = _read("/proc/%d/sessionid" % pid)
    return int(text) if text.isdigit() else _UNSET


def _dead(pid):
    stat = _read("/proc/%d/stat" % pid)
    return not stat or stat.rpartition(")")[2].split()[0] in ("Z", "X")


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _diff(before, after):
    return {
        "before": "processes: %s\n" % before,
        "after": "processes: %s\n" % after,
    }


if __name__ == "__main__":
    main()

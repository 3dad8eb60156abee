"""One good question for each entry point, as its caller asks it, and what of it no rule can do without."""

import json
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[1]
EVENT: dict[str, Any] = json.loads((TESTS / "samples/events/channel_shell.json").read_bytes())
JOB: dict[str, Any] = json.loads((TESTS / "samples/controller/job.json").read_bytes())
NULL = type(None)


class Entry(NamedTuple):
    """An entry point, a question that it can judge, and the parts that must be there with the types they may have."""

    path: str
    question: dict[str, Any]
    parts: dict[str, tuple[type, ...]]


EVENTS = Entry(
    "hostseal/event/decision",
    {"event": EVENT, "standing": {"state": "sealed", "incident": None}},
    {
        "event.id": (str,),
        "event.type": (str,),
        "event.seq": (int, float),
        "event.host.name": (str,),
        "event.data": (dict,),
        "event.data.user": (str,),
        "event.data.kind": (str,),
        "standing.state": (str,),
    },
)
CERTIFICATE = {
    "key_id": "INC-7 by carol for alice on flagging-1: a core dump is needed",
    "principals": ["alice@97f70f8ffec04d73afb0ef26920bf1bd"],
    "serial": 7,
    "ca_fingerprint": f"SHA256:{'C' * 42}E",
    "valid_after": "2026-01-02T03:03:05.000000Z",
    "valid_before": "2026-01-02T03:34:05.000000Z",
    "critical_options": {},
    "extensions": {"permit-pty": "", "ticket@hostseal": "INC-7", "reason@hostseal": "a core dump is needed"},
}
LOGIN = Entry(
    "hostseal/login/decision",
    {
        "event": json.loads((TESTS / "samples/events/login_requested.json").read_bytes()),
        "standing": {"state": "sealed", "incident": None},
        "login": {
            "phase": "account",
            "certificate": CERTIFICATE,
            "proven": False,
            "used": False,
            "armed": True,
            "time": "2026-01-02T03:04:05.000000Z",
            "instance": "97f70f8ffec04d73afb0ef26920bf1bd",
        },
    },
    {
        "event.id": (str,),
        "event.type": (str,),
        "event.host.name": (str,),
        "event.host.machine_id": (str,),
        "event.data.user": (str,),
        "standing.state": (str,),
        "login.phase": (str,),
        "login.certificate": (dict, NULL),
        "login.certificate.key_id": (str,),
        "login.certificate.principals": (list,),
        "login.certificate.serial": (int, float),
        "login.certificate.ca_fingerprint": (str,),
        "login.used": (bool,),
        "login.armed": (bool,),
        "login.time": (str,),
        "login.instance": (str,),
    },
)
TASK = {
    "name": "Install nginx",
    "module": "ansible.builtin.apt",
    "role": None,
    "collection": None,
    "file": "patch.yml",
    "line": 5,
    "kind": "task",
    "check": False,
    "dynamic": False,
    "target": {"kind": "play", "host": None},
}
PLAY = Entry(
    "hostseal/play/decision",
    {
        "play": {
            "name": "Patch the web servers",
            "file": "patch.yml",
            "check": False,
            "tags": {"run": ["all"], "skip": []},
            "hosts": ["flagging-1-g2"],
            "sets": [],
            "tasks": [TASK],
        },
        "requested_by": {"user": "alice", "controller": "jump-1"},
    },
    {
        "play.name": (str,),
        "play.check": (bool,),
        "play.hosts": (list,),
        "play.sets": (list,),
        "play.tasks": (list,),
        "requested_by.controller": (str,),
    },
)
CONTROLLER = Entry(
    "hostseal/play/decision",
    JOB,
    {
        "name": (str,),
        "job_type": (str,),
        "playbook": (str,),
        "scm_branch": (str,),
        "inventory": (dict, NULL),
        "inventory.name": (str,),
        "job_template": (dict, NULL),
        "job_template.name": (str,),
        "project": (dict, NULL),
        "project.name": (str,),
        "project.scm_url": (str,),
        "project.scm_branch": (str,),
    },
)
REPLACE = Entry(
    "hostseal/replace/decision",
    {
        "replace": {
            "host": {
                "name": "flagging-1-g2",
                "slot": "flagging-1",
                "generation": 2,
                "instance_id": "97f70f8ffec04d73afb0ef26920bf1bd",
            },
            "standing": "flagged",
            "incident": {"id": "inc-1", "deadline": "2026-01-02T03:04:05.000000Z", "reasons": ["a drill"]},
            "held": False,
            "attempts": 0,
            "now": "2026-01-02T03:04:06.000000Z",
            "image": {"digest": f"sha256:{'a' * 64}", "track": "current"},
            "requested_by": "fleet",
        }
    },
    {
        "replace.host.name": (str,),
        "replace.host.slot": (str,),
        "replace.host.generation": (int, float),
        "replace.host.instance_id": (str,),
        "replace.standing": (str,),
        "replace.incident": (dict, NULL),
        "replace.incident.id": (str,),
        "replace.incident.deadline": (str, NULL),
        "replace.held": (bool,),
        "replace.attempts": (int, float),
        "replace.now": (str,),
        "replace.image.digest": (str,),
        "replace.image.track": (str,),
        "replace.requested_by": (str,),
    },
)
BREAK_GLASS = Entry(
    "hostseal/break_glass/decision",
    {
        "break_glass": {
            "asks": "grant",
            "grant": {
                "id": "8ce25aeb-41b9-49de-abfd-691110332cc6",
                "user": "alice",
                "host": "flagging-1",
                "instance": "97f70f8ffec04d73afb0ef26920bf1bd",
                "ticket": "INC-1",
                "reason": "the disk is full",
                "person": "carol",
                "began": "2026-01-02T03:04:05.000000Z",
                "source": None,
                "drill": False,
            },
            "seconds": 1800,
            "total_seconds": 1800,
            "extensions": ["permit-pty"],
            "authority": f"SHA256:{'C' * 42}E",
            "time": "2026-01-02T03:04:05.000000Z",
        }
    },
    {
        "break_glass.asks": (str,),
        "break_glass.seconds": (int, float),
        "break_glass.total_seconds": (int, float),
        "break_glass.authority": (str,),
        "break_glass.extensions": (list,),
        "break_glass.grant.drill": (bool,),
        "break_glass.grant.user": (str,),
        "break_glass.grant.host": (str,),
        "break_glass.grant.instance": (str,),
        "break_glass.grant.ticket": (str,),
        "break_glass.grant.reason": (str,),
        "break_glass.grant.person": (str,),
    },
)
ENTRIES = {
    "event": EVENTS,
    "login": LOGIN,
    "play": PLAY,
    "controller": CONTROLLER,
    "replace": REPLACE,
    "break_glass": BREAK_GLASS,
}

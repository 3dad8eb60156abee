"""Follows the agent's record over ssh, as an operator would, and tells it to the timeline."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from demo.timeline import Timeline
from hostseal.cli.record import summary
from hostseal.core.text import shown
from lab import Host
from lab_site.install import AUTOMATION

Record = dict[str, Any]


class Watch:
    """`hostseal log --json --follow` on the host, line by line."""

    def __init__(self, host: Host, timeline: Timeline) -> None:
        self._timeline = timeline
        self._records: list[Record] = []
        self._news = threading.Condition()
        command = [*host.ssh_args(AUTOMATION), "sudo /opt/hostseal/bin/hostseal log --json --follow --last 1"]
        self._ssh = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True
        )
        threading.Thread(target=self._read, name="watch", daemon=True).start()

    def close(self) -> None:
        """End the ssh client."""
        self._ssh.terminate()
        self._ssh.wait(10)

    def wait(self, match: Callable[[Record], bool], *, seconds: float = 30) -> Record | None:
        """Return the first record that matches, None when the time is up."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for record in self._records:
                    if match(record):
                        return record
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    return None

    def _read(self) -> None:
        for line in self._ssh.stdout or ():
            record = json.loads(line)
            self._tell(record)
            with self._news:
                self._records.append(record)
                self._news.notify_all()

    def _tell(self, record: Record) -> None:
        if record["kind"] == "action":
            tail = f": {shown(record['error'])}" if record["error"] else ""
            self._timeline.say(
                "ansible",
                f"playbook {record['action']}.yml {record['state']}, try {record['attempts']}{tail}",
            )
            return
        event, decision = record["event"], record["decision"]
        self._timeline.say("seen", f"{event['type']}  {shown(summary(event))}")
        for finding in decision["findings"]:
            self._timeline.say("OPA", f"{finding['severity']}: {shown(finding['message'])}")
        if decision["actions"]:
            self._timeline.say(
                "OPA", f"-> {', '.join(decision['actions'])}   (decision {record['decision_id']})"
            )

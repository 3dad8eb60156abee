# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The gate in a play: asks the policy about the play it stands in, and refuses it with the policy's sentence."""

from __future__ import annotations

import getpass
import platform

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.hostseal.core.plugins.plugin_utils.opa import NoAnswer, Opa
from ansible_collections.hostseal.core.plugins.plugin_utils.question import question
from ansible_collections.hostseal.core.plugins.plugin_utils.text import shown

GATE = "hostseal.core.gate"
ENTRY_POINT = "hostseal/play/decision"
OPTIONS = {
    "url": {"type": "str", "required": True},
    "ca_file": {"type": "path"},
    "token_file": {"type": "path", "no_log": False},
    "timeout": {"type": "float", "default": 5.0},
    "on_failure": {"type": "str", "choices": ["refuse", "allow"], "default": "refuse"},
}


class ActionModule(ActionBase):
    """Runs once for the whole play, on the controller, in check mode too: it changes nothing."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Return the decision; a refused play fails here, on all its hosts."""
        result = super().run(tmp, task_vars)
        options = self.validate_argument_spec(argument_spec=OPTIONS)[1]
        try:
            opa = Opa(options["url"], options["ca_file"], options["token_file"], options["timeout"])
        except (OSError, ValueError) as error:
            raise AnsibleActionFail("The gate's options cannot be used: %s" % shown(str(error))) from error
        play = self._task.get_play()
        asked = question(
            play,
            task_vars["ansible_play_hosts_all"],
            self._loader,
            play.get_variable_manager(),
            {"user": getpass.getuser(), "controller": platform.node()},
        )
        result["changed"] = False
        self._warn_of_what_ran(asked["play"]["tasks"])
        try:
            decision, decision_id = opa.decide(ENTRY_POINT, asked)
        except NoAnswer as error:
            return self._unanswered(result, options["on_failure"], shown(str(error)))
        return _answered(result, decision, decision_id)

    def _warn_of_what_ran(self, tasks):
        before = next((at for at, task in enumerate(tasks) if task["module"] == GATE), 0)
        if before:
            self._display.warning(
                "%d task(s) stand before the gate and have run: make it the play's first." % before
            )

    def _unanswered(self, result, on_failure, why):
        said = "The policy gave no answer (%s)" % why
        result.update(answered=False, allowed=on_failure == "allow", violations=[], findings=[], would=[])
        if on_failure == "allow":
            self._display.warning("%s; on_failure is allow, so the play goes on." % said)
        else:
            result.update(failed=True, msg="%s, and on_failure is refuse: nothing was changed by this play." % said)
        return result


def _answered(result, decision, decision_id):
    violations = [shown(sentence) for sentence in decision["violations"]]
    result.update(
        answered=True,
        allowed=decision["allowed"],
        violations=violations,
        findings=[_finding(finding) for finding in decision["findings"]],
        would=[shown(str(action)) for action in decision.get("would") or []],
        decision_id=decision_id,
    )
    if not decision["allowed"]:
        result.update(failed=True, msg=" ".join(violations))
    return result


def _finding(finding):
    controls = finding.get("controls") or []
    texts = {key: shown(str(finding.get(key, ""))) for key in ("rule", "severity", "message")}
    return dict(texts, controls=[shown(str(control)) for control in controls])

#!/usr/bin/python

# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lockdown
short_description: Reads a host's lockdown of SSH, or asks the agent for a higher level
version_added: "0.1.0"
description:
  - Without O(level), reads the level and what it is about, and changes nothing.
  - With O(level), hands an operator's wish to the host's agent. It is recorded as the event C(operator.asked), with person and
    reason, and goes through the policy like anything else that is observed. Only in mode V(enforce) does the policy act.
  - A level only rises. A host that is locked down that far already is left as it is.
  - With V(closed), automation's own next login is refused, too. The connection that the play runs over stays.
  - There is no way back here. A lockdown ends by a signed release (C(hostseal lockdown release)).
options:
  level:
    description: How far SSH shall be locked down.
    type: str
    choices: [automation_only, closed]
  reason:
    description: Why. It stands in the record, so put no secret into it. Needed with O(level).
    type: str
  person:
    description: Who wants it. Needed with O(level).
    type: str
  executable:
    description: The C(hostseal) command on the host.
    type: path
    default: /opt/hostseal/bin/hostseal
attributes:
  check_mode:
    description: Can run in check mode and tell whether the wish would be recorded. The policy is not asked then.
    support: full
  diff_mode:
    description: Shows the level before and after.
    support: full
  platform:
    description: Where it runs.
    support: full
    platforms: posix
requirements:
  - the agent, as installed by the role P(hostseal.core.agent#role)
  - root on the host
seealso:
  - module: hostseal.core.flag
author:
  - Hostseal contributors (@hostseal)
"""

EXAMPLES = r"""
- name: Let nobody in but automation, and persons by a break-glass certificate
  hostseal.core.lockdown:
    level: automation_only
    person: carol
    reason: Somebody is trying keys, ticket 4711.
  become: true

- name: Read the level
  hostseal.core.lockdown:
  become: true
  register: answer
"""

RETURN = r"""
level:
  description: The level, one of V(open), V(automation_only) and V(closed).
  returned: success
  type: str
  sample: automation_only
in_force:
  description: Whether sshd's drop-in is the one of the level, V(none) when the agent is not running.
  returned: success
  type: bool
  sample: true
incident:
  description: What the lockdown is about. A release names it.
  returned: success
  type: str
  sample: 57482513-dee6-5e78-a026-55c08bbf0309
since:
  description: When the host was first locked down (RFC 3339, UTC).
  returned: success
  type: str
  sample: "2026-11-23T12:11:23.078553Z"
reasons:
  description: Why, in the policy's sentences.
  returned: success
  type: list
  elements: str
  sample: ["carol asked to lock SSH down to closed: \"Somebody is trying keys, ticket 4711.\"."]
event:
  description: The event that holds the wish.
  returned: when it was handed to the agent
  type: str
  sample: c39f013f-fd26-58b3-8715-644857247695
actions:
  description: What the policy has the agent do, V(none) while it has not answered.
  returned: when it was handed to the agent
  type: list
  elements: str
  sample: [lockdown_automation_only]
would:
  description: What the policy holds back on this host, V(none) while it has not answered.
  returned: when it was handed to the agent
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hostseal.core.plugins.module_utils import agent

_RISING = ("open", "automation_only", "closed")


def main():
    """Read the level, and hand the wish to the agent unless the host is locked down that far already."""
    module = AnsibleModule(
        argument_spec=dict(
            level=dict(type="str", choices=list(_RISING[1:])),
            reason=dict(type="str"),
            person=dict(type="str"),
            **agent.OPTIONS
        ),
        required_by=dict(level=("reason", "person")),
        supports_check_mode=True,
    )
    level = module.params["level"]
    before = agent.lockdown(module)
    if level is None or _RISING.index(level) <= _RISING.index(before["level"]):
        module.exit_json(changed=False, diff=_diff(before["level"], before["level"]), **before)
    for name in ("reason", "person"):
        if not module.params[name].strip():
            module.fail_json(msg="%s is empty" % name)
    if before["in_force"] is None:
        module.fail_json(msg="the agent is not running, so it cannot take the wish", **before)
    if module.check_mode:
        module.exit_json(changed=True, diff=_diff(before["level"], level), **before)
    receipt = agent.ask_lockdown(module, level, module.params["person"], module.params["reason"])
    after = agent.lockdown(module)
    module.exit_json(
        changed=receipt["new"],
        event=receipt["id"],
        actions=receipt["actions"],
        would=receipt["would"],
        diff=_diff(before["level"], after["level"]),
        **after
    )


def _diff(before, after):
    return {
        "before": "lockdown: %s\n" % before,
        "after": "lockdown: %s\n" % after,
    }


if __name__ == "__main__":
    main()

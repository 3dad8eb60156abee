#!/usr/bin/python

# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: flag
short_description: Asks the agent to flag a host, so that it is replaced
version_added: "0.1.0"
description:
  - Hands an operator's wish to the host's agent. It is recorded as the event C(operator.flagged), with person and reason,
    and goes through the policy like anything else that is observed. A flag rises only by the policy.
  - A host that is flagged already is left as it is.
  - In mode V(observe) the wish is recorded and the host is not flagged. The same wish is recorded once per boot.
  - There is no way back here. A flag leaves by a signed pardon (C(hostseal flag pardon)).
options:
  reason:
    description: Why the host shall be replaced. It stands in the record and in the incident, so put no secret into it.
    type: str
    required: true
  person:
    description: Who wants it.
    type: str
    required: true
  executable:
    description: The C(hostseal) command on the host.
    type: path
    default: /opt/hostseal/bin/hostseal
attributes:
  check_mode:
    description: Can run in check mode and tell whether the wish would be recorded. The policy is not asked then.
    support: full
  diff_mode:
    description: Shows the standing before and after.
    support: full
  platform:
    description: Where it runs.
    support: full
    platforms: posix
requirements:
  - the agent, as installed by the role P(hostseal.core.agent#role)
  - root on the host
seealso:
  - module: hostseal.core.flag_info
author:
  - Hostseal contributors (@hostseal)
"""

EXAMPLES = r"""
- name: Have the host replaced
  hostseal.core.flag:
    person: carol
    reason: The disk reports errors, ticket 4711.
  become: true
"""

RETURN = r"""
event:
  description: The event that holds the wish.
  returned: when it was handed to the agent
  type: str
  sample: c39f013f-fd26-58b3-8715-644857247695
decided:
  description: Whether the policy's word was there within three seconds. Without it, the agent goes on asking.
  returned: when it was handed to the agent
  type: bool
  sample: true
state:
  description: The standing in one word, one of V(sealed), V(suspect) and V(flagged).
  returned: success
  type: str
  sample: flagged
flagged:
  description: Whether the host is flagged.
  returned: success
  type: bool
  sample: true
incident:
  description: What the flag is about.
  returned: success
  type: str
  sample: 57482513-dee6-5e78-a026-55c08bbf0309
opened:
  description: When the incident was opened (RFC 3339, UTC).
  returned: success
  type: str
  sample: "2026-11-23T12:11:23.078553Z"
deadline:
  description: By when the host is to be replaced (RFC 3339, UTC).
  returned: success
  type: str
  sample: "2026-11-23T13:11:23.078553Z"
reasons:
  description: Why, in the policy's sentences.
  returned: success
  type: list
  elements: str
  sample: ["carol flagged the host: \"The disk reports errors, ticket 4711.\"."]
agent_running:
  description: Whether the agent answered.
  returned: success
  type: bool
  sample: true
mode:
  description: How far the policy goes on this host, as the running agent knows it.
  returned: success
  type: str
  sample: flag
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hostseal.core.plugins.module_utils import agent


def main():
    """Hand the wish to the agent, unless the host is flagged already."""
    module = AnsibleModule(
        argument_spec=dict(
            reason=dict(type="str", required=True), person=dict(type="str", required=True), **agent.OPTIONS
        ),
        supports_check_mode=True,
    )
    for name in ("reason", "person"):
        if not module.params[name].strip():
            module.fail_json(msg="%s is empty" % name)
    before = agent.standing(module)
    if before["flagged"]:
        module.exit_json(changed=False, diff=_diff(before, before), **before)
    if not before["agent_running"]:
        module.fail_json(msg="the agent is not running, so it cannot take the wish", **before)
    if module.check_mode:
        would = before if before["mode"] == "observe" else dict(before, state="flagged")
        module.exit_json(changed=True, diff=_diff(before, would), **before)
    receipt = agent.raise_flag(module, module.params["person"], module.params["reason"])
    after = agent.standing(module)
    module.exit_json(
        changed=receipt["new"], event=receipt["id"], decided=receipt["decided"], diff=_diff(before, after), **after
    )


def _diff(before, after):
    return {
        "before": "standing: %s\n" % before["state"],
        "after": "standing: %s\n" % after["state"],
    }


if __name__ == "__main__":
    main()

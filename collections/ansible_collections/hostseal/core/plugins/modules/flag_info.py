#!/usr/bin/python

# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: flag_info
short_description: Tells whether a host is flagged, and why
version_added: "0.1.0"
description:
  - Reads the host's standing from the agent's own state (C(hostseal status)), also while the agent is not running.
options:
  executable:
    description: The C(hostseal) command on the host.
    type: path
    default: /opt/hostseal/bin/hostseal
attributes:
  check_mode:
    description: Can run in check mode, which makes no difference.
    support: full
  diff_mode:
    description: Says in diff mode what would be changed. It changes nothing.
    support: none
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
- name: Read the host's standing
  hostseal.core.flag_info:
  become: true
  register: seal

- name: Say until when the host lives
  ansible.builtin.debug:
    msg: "flagged, to be replaced by {{ seal.deadline }}"
  when: seal.flagged
"""

RETURN = r"""
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
  sample: ["alice (key SHA256:Ii52...) from 192.0.2.7 opened an interactive shell."]
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
    """Read the standing."""
    module = AnsibleModule(argument_spec=dict(agent.OPTIONS), supports_check_mode=True)
    module.exit_json(changed=False, **agent.standing(module))


if __name__ == "__main__":
    main()

#!/usr/bin/python

# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: gate
short_description: Refuses a play that the policy does not allow
version_added: "0.1.0"
description:
  - Asks Open Policy Agent about the play it stands in, before anything is changed, and fails the play with the policy's
    own sentence when it is refused. A play that patches an immutable host in place is refused, for instance.
  - What is asked about is the whole play. Its roles, its handlers, and what it imports or includes by a plain name are
    in it. An include, module or delegation that is named by a template is known only while the play runs, and the policy
    is told so.
  - Runs once for the whole play, on the controller. Make it the play's first task with C(gather_facts) off, and give it
    the tag C(always).
  - The same policy is asked in CI by C(hostseal play check), which no author of a play can leave out.
options:
  url:
    description:
      - Where OPA answers, like V(https://opa.example.org:8181).
      - Plain C(http) is taken only for an OPA on the controller itself.
    type: str
    required: true
  ca_file:
    description:
      - The authority (PEM) that signed OPA's certificate. No other is believed.
      - Without it, those of the system are.
    type: path
  token_file:
    description: A file on the controller with OPA's API token. It is never logged.
    type: path
  timeout:
    description: How long OPA may take, in seconds.
    type: float
    default: 5.0
  on_failure:
    description:
      - What becomes of the play when there is no answer. OPA cannot be reached, the decision is undefined, or it is
        malformed. That is neither an allowance nor a refusal.
      - With V(allow) the play goes on with a warning.
    type: str
    choices: [refuse, allow]
    default: refuse
attributes:
  check_mode:
    description: Can run in check mode and return the policy's answer without changing anything.
    support: full
  diff_mode:
    description: Says in diff mode what would be changed. It changes nothing.
    support: none
  action:
    description: Has an action plugin, which runs on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for all hosts of the play. With the strategy V(free) ansible-core refuses that.
    support: full
notes:
  - Whether a task's changes are simulated is judged task by task. C(check_mode) set to false on a task counts.
  - O(ignore_errors) on the task, or leaving the task out, is in the author's hand. Refuse it in CI.
seealso:
  - module: hostseal.core.flag_info
author:
  - Hostseal contributors (@hostseal)
"""

EXAMPLES = r"""
- name: Update the load balancers
  hosts: loadbalancers
  gather_facts: false
  tasks:
    - name: Ask the policy first
      hostseal.core.gate:
        url: https://opa.example.org:8181
        ca_file: /etc/hostseal/opa/ca.pem
        token_file: /etc/hostseal/opa/token
      tags: [always]

- name: Look at the load balancers, whether the policy answers or not
  hosts: loadbalancers
  gather_facts: false
  tasks:
    - name: Ask the policy first, and go on with a warning when it has no answer
      hostseal.core.gate:
        url: https://opa.example.org:8181
        ca_file: /etc/hostseal/opa/ca.pem
        token_file: /etc/hostseal/opa/token
        on_failure: allow
      tags: [always]
"""

RETURN = r"""
answered:
  description: Whether the policy answered.
  returned: always
  type: bool
  sample: true
allowed:
  description: Whether the play may go on. Without an answer, what O(on_failure) says.
  returned: always
  type: bool
  sample: false
violations:
  description: Why it may not, in sentences for a person. Characters that do not print are written as escapes.
  returned: always
  type: list
  elements: str
  sample:
    - >-
      The play "Patch the web servers" patches the immutable host web-1 in place: task "Install nginx" of
      ansible.builtin.apt. Build a new image with the change and replace the host.
findings:
  description: What the policy's rules found, also where it is only observed.
  returned: always
  type: list
  elements: dict
  contains:
    rule:
      description: The rule's name.
      type: str
    severity:
      description: How bad it is.
      type: str
    message:
      description: The rule's sentence.
      type: str
    controls:
      description: The controls of a standard that it serves.
      type: list
      elements: str
would:
  description: V(refuse) when the play is let through only because its hosts are in mode V(observe).
  returned: always
  type: list
  elements: str
decision_id:
  description: What OPA's decision log knows the decision by.
  returned: when the policy answered
  type: str
"""

"""The first draft of a rule of one's own: a rule that works, with its test and a case, to be changed from there."""

import re
import shutil
import tempfile
from pathlib import Path
from string import Template

from hostseal.errors import BadInputError, PolicyError
from hostseal.policy.packaged import policies
from hostseal.policy.sources import RULES

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 60
_RESERVED = frozenset(
    {
        "as",
        "contains",
        "data",
        "default",
        "else",
        "every",
        "false",
        "if",
        "import",
        "in",
        "input",
        "not",
        "null",
    }
    | {"package", "set", "some", "true", "with", "and", "or"}
)

_RULE = Template("""\
# METADATA
# title: $title
# description: >
#   What this rule looks for, and why somebody should hear of it. As it was made, it hears of each person who
#   logs in as root.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AC-6, PCI 10.2, CIS 5.4, SOC2 CC6.1]
package hostseal.rules.$name

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	seen
	message := sprintf("%s logged in as root.", [wording.login(identity.subject)])
}

# A finding alone is only on record. What a rule asks for is done: "flag" has the host replaced.
asks contains "flag" if seen

seen if {
	input.event.type == "session.opened"
	input.event.data.user == "root"
	identity.person
}
""")

_TEST = Template("""\
package hostseal.rules.${name}_test

import data.hostseal.rules.$name
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := $name.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := $name.findings with input as asked with data.hostseal.site as samples.site
}

logged_in(who) := samples.about("session.opened", object.union(samples.alice, who))

test_root_is_heard_of if {
	asked := logged_in({"user": "root"})
	asks(asked) == {"flag"}
	some finding in findings(asked)
	finding.message == "root (key SHA256:alice) from 192.0.2.7 logged in as root."
	finding.severity == "medium"
}

test_others_are_not if {
	asks(logged_in({})) == set()
	findings(logged_in({})) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
""")

_CASE = Template("""\
note: root logs in by password on a host in mode flag
data:
  default: {mode: flag, class: immutable}
input:
  event:
    id: 00000000-0000-5000-8000-000000000001
    type: session.opened
    time: "2026-01-02T03:04:05.000000Z"
    seq: 1
    host:
      name: web-1
      machine_id: 0123456789abcdef0123456789abcdef
      boot_id: fedcba98-7654-3210-fedc-ba9876543210
      image: null
      class: immutable
      mode: flag
      groups: []
    data:
      user: root
      service: sshd
      source: 192.0.2.7
      connection: 192.0.2.7 50000 192.0.2.1 22
      audit_session: 12
      login_uid: 0
      logind_session: "12"
      key: null
      leader_pid: 4242
      seen_by: pam
  standing: {state: sealed, incident: null}
# Only the keys that stand here are compared.
decision:
  allowed: false
  violations:
    - root (no key on record) from 192.0.2.7 logged in as root.
""")


def new(name: str, rules: Path) -> list[Path]:
    """Write the rule `name` into a folder of its own in `rules`, whole or not at all; return its files.

    BadInputError for a name that no rule can have, PolicyError when there is a rule of that name already.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST or name.endswith("_test") or name in _RESERVED:
        hint = f"small letters, digits and single underscores, at most {LONGEST}: root_login"
        raise BadInputError(f"{name!r} cannot be the name of a rule", hint=hint)
    for there in (rules / name, policies() / RULES / name):
        if there.exists():
            raise PolicyError(f"there already is a rule {name!r}", hint=str(there))
    words = {"name": name, "title": name.replace("_", " ").capitalize()}
    rules.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=rules) as work:
        made = Path(work) / name
        (made / "cases").mkdir(parents=True)
        (made / f"{name}.rego").write_text(_RULE.substitute(words), "utf-8")
        (made / f"{name}_test.rego").write_text(_TEST.substitute(words), "utf-8")
        (made / "cases" / f"{name}.yaml").write_text(_CASE.substitute(words), "utf-8")
        shutil.move(made, rules / name)
    return sorted(path for path in (rules / name).rglob("*") if path.is_file())

# METADATA
# title: Processes that outlived their SSH session
# description: >
#   Somebody logged out and left processes running: a terminal multiplexer, a background job, an sshd of their own.
#   The site's data says whether that breaks the seal when a person did it.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-12, NIST CM-7, PCI 10.2, CIS 13.2, SOC2 CC7.2]
#   flags: where `left_behind` is `flag`
#   tuning: [left_behind]
package hostseal.rules.left_behind

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "session.left_behind"
	message := sprintf("%s left %s running.", [
		wording.login(identity.subject),
		wording.processes(input.event.data),
	])
}

asks contains "flag" if {
	input.event.type == "session.left_behind"
	data.hostseal.site.left_behind == "flag"
	identity.person
}

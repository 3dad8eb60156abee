# METADATA
# title: Another user inside an SSH session
# description: >
#   A person who logged in became another user, by su, sudo or another program that changes it. It is on record; the
#   site's data says whether it also breaks the seal. Automation's become is its daily work: only the event says it.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AC-6, NIST AU-12, PCI 10.2, CIS 5.4, SOC2 CC6.3]
#   flags: where `privilege` is `flag`
#   tuning: [privilege]
package hostseal.rules.privilege_gained

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	gained
	message := sprintf("%s became %s by %s.", [
		wording.login(identity.subject),
		wording.name(input.event.data.target),
		wording.program(input.event.data.via),
	])
}

asks contains "flag" if {
	gained
	data.hostseal.site.privilege == "flag"
}

gained if {
	input.event.type == "session.privilege"
	identity.person
}

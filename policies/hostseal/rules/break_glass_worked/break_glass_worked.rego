# METADATA
# title: A break-glass login has worked
# description: >
#   The way in for emergencies is proven on this host, so the login gate may close the other ways. Whatever was
#   done, the host is replaced, and at the time that the login named; only a drill is free.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST AC-2, NIST CP-4, PCI 10.2, CIS 17.7, SOC2 CC7.5]
#   flags: always, but for a drill
#   tuning: [break_glass]
package hostseal.rules.break_glass_worked

import data.hostseal.break_glass
import data.hostseal.finding
import data.hostseal.host
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	worked
	message := sprintf("%s got in by break-glass.", [wording.name(input.event.data.user)])
}

asks contains "arm" if {
	worked
	host.of(input.event.host.name).mode == "enforce"
}

asks contains "flag" if {
	worked
	not drill
}

worked if {
	input.event.type == "session.channel"
	input.event.data.session.user == input.event.data.user
	certificate.ca_fingerprint in data.hostseal.site.break_glass.authorities
}

certificate := input.event.data.session.key.certificate

drill if certificate.critical_options["force-command"] == break_glass.drill_command

# METADATA
# description: Seconds until the host is replaced, as the login has named them.
deadline := data.hostseal.site.login.deadline_seconds if {
	worked
	not drill
}

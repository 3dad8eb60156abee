# METADATA
# title: The policy is out of date
# description: >
#   The bundle that decides here was made longer ago than it allows itself; the host may have missed what was
#   decided since.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST CM-6, NIST SI-4, PCI 10.7, CIS 4.1, SOC2 CC7.1]
#   flags: never
package hostseal.rules.bundle_stale

import data.hostseal.finding

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type in {"agent.started", "agent.heartbeat"}
	seconds > data.hostseal.bundle.max_age_seconds
	message := sprintf("The policies in force were made %d seconds ago; %d are allowed.", [
		seconds,
		data.hostseal.bundle.max_age_seconds,
	])
}

seconds := floor((time.parse_rfc3339_ns(input.event.time) - time.parse_rfc3339_ns(issued)) / 1000000000) if {
	is_number(data.hostseal.bundle.max_age_seconds)
}

issued := data.hostseal.bundle.issued

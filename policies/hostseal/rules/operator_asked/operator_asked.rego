# METADATA
# title: An operator asked for a response
# description: Somebody with root on the host asked, through the agent, to lock SSH down or to end a session.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST IR-4, NIST AC-17, PCI 12.10, CIS 17.4, SOC2 CC7.4]
#   flags: never
package hostseal.rules.operator_asked

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	asked
	message := sprintf("%s asked to %s: %s.", [
		wording.name(input.event.data.person),
		wish,
		wording.name(input.event.data.reason),
	])
}

asks contains action if {
	asked
	action := sprintf("lockdown_%s", [input.event.data.level])
	input.event.data.wish == "lockdown"
}

asks contains "terminate_session" if {
	asked
	input.event.data.wish == "terminate_session"
}

asked if {
	input.event.type == "operator.asked"
	wish
}

wish := sprintf("lock SSH down to %s", [input.event.data.level]) if {
	input.event.data.wish == "lockdown"
	input.event.data.level in {"automation_only", "closed"}
}

wish := sprintf("end session %d of %s", [
	input.event.data.session.audit_session,
	wording.name(input.event.data.session.user),
]) if {
	input.event.data.wish == "terminate_session"
	is_number(input.event.data.session.audit_session)
}

# METADATA
# title: Interactive sessions again and again
# description: >
#   Persons open interactive sessions on this host as if it were not meant to be immutable: this one comes after as many
#   within the time that the site's data names. Sessions that an exemption covers do not count.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   controls: [NIST CM-5, NIST AU-6, PCI 10.4, CIS 8.11, SOC2 CC7.2]
#   flags: always
#   tuning: [repeated_sessions, channel]
package hostseal.rules.repeated_sessions

import data.hostseal.exemption
import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.rules.interactive_session
import data.hostseal.tuning
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	again
	message := sprintf("%s %s, interactive session %d on this host within %s.", [
		wording.login(identity.subject),
		wording.channel(input.event.data),
		count(earlier) + 1,
		span(data.hostseal.site.repeated_sessions.within_seconds),
	])
}

asks contains "flag" if again

again if {
	interactive_session.broke_in
	tuning.on("interactive_session")
	not exemption.of("interactive_session")
	count(earlier) + 1 >= data.hostseal.site.repeated_sessions.count
}

earlier contains past.event if {
	some past in input.standing.recent
	past.rule == "interactive_session"
	past.event != input.event.id
	age := time.parse_rfc3339_ns(input.event.time) - time.parse_rfc3339_ns(past.time)
	age <= data.hostseal.site.repeated_sessions.within_seconds * 1000000000
}

span(seconds) := sprintf("%d hours", [seconds / 3600]) if whole_hours(seconds)

span(seconds) := sprintf("%d minutes", [ceil(seconds / 60)]) if not whole_hours(seconds)

whole_hours(seconds) if {
	seconds % 3600 == 0
	seconds > 3600
}

# METADATA
# title: A sensor was blind for longer than is allowed
# description: >
#   The loss lasted longer than the site's data allows, made up for or not. A loss without an end is measured to the
#   time of its event, one without a beginning cannot be measured.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AU-5, NIST SI-4, PCI 10.7, CIS 8.2, CIS 13.2, SOC2 CC7.2]
#   flags: never
#   tuning: [blind_too_long]
package hostseal.rules.blind_too_long

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "sensor.lost"
	seconds > data.hostseal.site.blind_too_long.max_seconds
	message := sprintf("The sensor %s saw nothing of %s for %d seconds; %d are allowed.", [
		wording.name(input.event.data.sensor),
		wording.name(input.event.data.scope),
		seconds,
		data.hostseal.site.blind_too_long.max_seconds,
	])
}

seconds := floor((time.parse_rfc3339_ns(until) - time.parse_rfc3339_ns(input.event.data.since)) / 1000000000)

until := input.event.data.until if is_string(input.event.data.until)

until := input.event.time if not is_string(input.event.data.until)

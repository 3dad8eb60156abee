# METADATA
# title: The host's image is too old
# description: >
#   The image was built longer ago than the site's data allows, so it lacks what was mended since. The host is due
#   for a newer one.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST SI-2, NIST CM-2, PCI 6.3, CIS 7.3, SOC2 CC7.1]
#   flags: never
#   tuning: [image_age]
package hostseal.rules.image_too_old

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "agent.heartbeat"
	days > data.hostseal.site.image_age.max_days
	message := sprintf("The image %s is %d days old; %d are allowed.", [
		wording.name(input.event.data.image.id),
		floor(days),
		data.hostseal.site.image_age.max_days,
	])
}

days := (time.parse_rfc3339_ns(input.event.time) - time.parse_rfc3339_ns(built)) / 86400000000000 if {
	is_number(data.hostseal.site.image_age.max_days)
}

built := input.event.data.image.built

# METADATA
# title: A sensor lost sight of the host
# description: >
#   Something may have happened that nobody saw. It flags the host where the site's data lists the cause.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AU-5, NIST SI-4, PCI 10.7]
package hostseal.rules.sensor_lost

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "sensor.lost"
	message := sprintf("The sensor %s lost sight of %s%s: %s; %s.", [
		wording.name(input.event.data.sensor),
		wording.name(input.event.data.scope),
		interval,
		wording.name(input.event.data.cause),
		rescan,
	])
}

asks contains "flag" if {
	input.event.type == "sensor.lost"
	input.event.data.cause in data.hostseal.site.flag_on_loss
}

interval := concat("", [since, until])

default since := ""

since := sprintf(" from %s", [wording.name(input.event.data.since)])

default until := ""

until := sprintf(" to %s", [wording.name(input.event.data.until)])

default rescan := "what it missed is not known"

rescan := "it was scanned again" if input.event.data.rescanned == true

# METADATA
# title: A mutable host drifts from its image
# description: >
#   On a host of class mutable nobody replaces anything: what differs from the image is debt, to be brought into an
#   image one day. It asks for no flag, and where the site's data says `only`, neither do the rules about drift.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST CM-2, NIST CM-3, PCI 6.5, CIS 4.1, SOC2 CC8.1]
#   flags: never
#   tuning: [mutable_debt]
package hostseal.rules.mutable_debt

import data.hostseal.changes
import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.host
import data.hostseal.wording
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	drifted
	host.of(input.event.host.name).class == "mutable"
	message := sprintf("%s is mutable, so this is debt: %s changed %s.", [
		wording.name(input.event.host.name),
		drift.actor,
		what,
	])
}

drifted if count(drift.paths) > 0

drifted if {
	changes.some_count
	not writer.excused
}

what := drift.shown(drift.paths) if count(drift.paths) > 0

what := "files that are only counted" if count(drift.paths) == 0

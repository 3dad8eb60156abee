# METADATA
# title: The system upgraded packages
# description: >
#   A package manager changed sealed files in one of the system's own units for upgrades, and the site's data says to
#   name that rather than to flag the host.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST CM-3, NIST SI-2, PCI 6.3, CIS 7.3, SOC2 CC8.1]
#   flags: never
#   tuning: [package_upgrades, upgrade_units]
package hostseal.rules.package_upgraded

import data.hostseal.changes
import data.hostseal.finding
import data.hostseal.wording
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	changes.some_count
	writer.package_upgrade
	data.hostseal.site.package_upgrades == "record"
	message := sprintf("%s changed %s.", [writer.described, wording.paths(changes.counted)])
}

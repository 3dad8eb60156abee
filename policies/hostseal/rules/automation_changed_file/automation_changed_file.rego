# METADATA
# title: Automation changed a sealed file
# description: >
#   A session of automation changed sealed files, and the site's data says to name that rather than to flag the host.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST CM-3, NIST SI-7, PCI 6.5, PCI 11.5, CIS 4.1, SOC2 CC8.1]
#   flags: never
#   tuning: [automation_changes]
package hostseal.rules.automation_changed_file

import data.hostseal.changes
import data.hostseal.finding
import data.hostseal.wording
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	changes.some_count
	writer.automation_session
	data.hostseal.site.automation_changes == "record"
	message := sprintf("%s changed %s.", [writer.described, wording.paths(changes.counted)])
}

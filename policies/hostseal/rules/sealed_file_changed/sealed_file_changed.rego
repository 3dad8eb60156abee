# METADATA
# title: A sealed file changed
# description: >
#   Something changed files that the image laid down. What is as the seal says, a host's own or changes by design does
#   not count. The host's own playbooks are exempt where every path and hash was declared, automation's sessions and
#   package upgrades where the site's data does not say that they flag the host.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST CM-5, NIST SI-7, PCI 11.5, CIS 4.1, CIS 13.2, SOC2 CC7.1]
#   flags: always
#   tuning: [sealed_file_changed, automation_changes, package_upgrades, upgrade_units]
package hostseal.rules.sealed_file_changed

import data.hostseal.changes
import data.hostseal.finding
import data.hostseal.wording
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	changed
	message := sprintf("%s changed %s.", [writer.described, wording.paths(changes.counted)])
}

asks contains "flag" if changed

changed if {
	changes.some_count
	not exempt
}

exempt if writer.own_action

exempt if {
	writer.automation_session
	data.hostseal.site.automation_changes in {"allow", "record"}
}

exempt if {
	writer.package_upgrade
	data.hostseal.site.package_upgrades in {"allow", "record"}
}

# METADATA
# title: A sealed file changed
# description: >
#   Something changed files that the image laid down; the site's data says which of them weigh more. What is as the
#   seal says, a host's own or changes by design does not count. The host's own playbooks are exempt where every path
#   and hash was declared, automation's sessions and package upgrades where the site's data does not say that they
#   flag the host.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST CM-5, NIST SI-7, PCI 11.5, CIS 4.1, CIS 13.2, SOC2 CC7.1]
#   flags: always
#   tuning: [sealed_file_changed, automation_changes, package_upgrades, upgrade_units]
package hostseal.rules.sealed_file_changed

import data.hostseal.changes
import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.path_severity
import data.hostseal.wording
import data.hostseal.writer

findings contains object.union(found, {"severity": path_severity.highest(paths, found.severity)}) if {
	changed
	message := sprintf("%s changed %s.", [writer.described, wording.paths(changes.counted)])
	found := finding.from_rule(rego.metadata.chain(), message)
}

asks contains "flag" if {
	changed
	not drift.only_debt
}

changed if {
	changes.some_count
	not writer.excused
}

paths := array.concat([change.path | some change in changes.counted.paths], unnamed)

# Paths that are only counted weigh what any sealed file does.
default unnamed := []

unnamed := [""] if changes.counted.truncated == true

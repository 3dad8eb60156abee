# METADATA
# title: Packages changed outside the image build
# description: >
#   A package manager changed sealed files, or the list of what is installed changed, and it was not one of the
#   system's own upgrades. Hosts where images are built are exempt, automation's sessions are not: what they install
#   is in no image.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST CM-11, NIST CM-3, PCI 6.5, CIS 2.5, CIS 2.3, SOC2 CC6.8, SOC2 CC8.1]
#   flags: never
#   tuning: [package_installed, gate]
package hostseal.rules.package_installed

import data.hostseal.changes
import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.host
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	installed
	not expected
	message := sprintf("%s changed packages outside an image build: %s.", [
		drift.actor,
		drift.shown(changes.counted.paths),
	])
}

installed if {
	count(changes.counted.paths) > 0
	input.event.data.writer.role == "package_manager"
}

# Inside a session no program has a role, and anyone may name a file so: the name accuses, it never excuses.
installed if {
	count(changes.counted.paths) > 0
	data.hostseal.site.package_installed.programs[input.event.data.writer.exe] == true
}

installed if {
	some change in changes.counted.paths
	drift.among(data.hostseal.site.package_installed.paths, change.path)
}

expected if writer.own_action

expected if writer.package_upgrade

expected if {
	some group in host.of(input.event.host.name).groups
	group in data.hostseal.site.gate.build_groups
}

# METADATA
# title: What the host boots changed
# description: >
#   Something changed the kernel, its modules, its parameters, the initial ram disk or the boot loader, so the next
#   start may be of another system.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   controls: [NIST CM-5, NIST CM-14, NIST SI-7, PCI 2.2, PCI 11.5, CIS 4.1, CIS 13.2, SOC2 CC6.8, SOC2 CC7.1]
#   flags: never
#   tuning: [boot_changed]
package hostseal.rules.boot_changed

import data.hostseal.drift
import data.hostseal.finding

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(found) > 0
	message := sprintf("%s changed what the host boots: %s.", [drift.actor, drift.shown(found)])
}

found := drift.under(data.hostseal.site.boot_changed.paths)

# METADATA
# title: Who may become root changed
# description: >
#   Something changed sudo's rules or polkit's. What a person's session lays there is persistence_laid's to say.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-6, NIST CM-5, PCI 7.2, PCI 10.2, CIS 5.4, SOC2 CC6.3]
#   flags: never
#   tuning: [sudoers_changed]
package hostseal.rules.sudoers_changed

import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.rules.persistence_laid

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(found) > 0
	message := sprintf("%s changed who may become root: %s.", [drift.actor, drift.shown(found)])
}

found := [one | some one in drift.paths; concerns(one)] if not persistence_laid.laid

concerns(one) if one.lays == "sudoers"

concerns(one) if drift.among(data.hostseal.site.sudoers_changed.paths, one.path)

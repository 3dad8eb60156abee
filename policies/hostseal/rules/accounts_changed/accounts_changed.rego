# METADATA
# title: Accounts of the host changed
# description: >
#   Something changed the host's users, groups or passwords, or the way in which they are looked up. Whom that
#   made privileged is privileged_account's to say.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST AC-6, PCI 8.2, PCI 10.2, CIS 5.1, CIS 5.4, SOC2 CC6.2, SOC2 CC6.3]
#   flags: never
#   tuning: [accounts_changed]
package hostseal.rules.accounts_changed

import data.hostseal.drift
import data.hostseal.finding

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(found) > 0
	message := sprintf("%s changed the host's accounts: %s.", [drift.actor, drift.shown(found)])
}

found := drift.under(data.hostseal.site.accounts_changed.paths)

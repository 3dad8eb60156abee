# METADATA
# title: An exemption has expired
# description: >
#   A rule found something that an exemption covered until its date came. The finding counts as any other; whoever
#   owns the exemption renews it or takes it out of the site's data.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST CA-5, NIST CM-3, PCI 12.3, CIS 4.1, SOC2 CC3.2]
package hostseal.policy_rules.exemption_expired

import data.hostseal.exemption
import data.hostseal.finding
import data.hostseal.saying
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	some rule, _ in saying.findings
	some one in exemption.expired(rule)
	message := sprintf("Exemption %s from the rule %s ended at %s; %s owns it: %s.", [
		wording.name(one.id),
		rule,
		one.expires,
		wording.name(one.owner),
		wording.sentence(one.reason),
	])
}

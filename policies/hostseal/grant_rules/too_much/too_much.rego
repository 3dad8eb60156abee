# METADATA
# title: A certificate would allow more than a login
# schemas:
#   - input: schema.break_glass.decision
# custom:
#   severity: high
#   controls: [NIST AC-6, NIST AC-17]
package hostseal.grant_rules.too_much

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	some extension in input.break_glass.extensions
	not extension in data.hostseal.site.break_glass.extensions
	message := sprintf("A break-glass login may not have %s.", [wording.name(extension)])
}

# METADATA
# title: The image is not the current one
# description: Only an image that was tried and released takes a host's place.
# schemas:
#   - input: schema.replace.decision
# custom:
#   severity: high
#   controls: [NIST CM-3, NIST CP-10, PCI 6.5, CIS 4.1, SOC2 CC7.5]
package hostseal.replace_rules.image_not_current

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.replace.image.track != "current"
	message := sprintf("The image %s for %s is %s, not current. Release a current image first.", [
		wording.name(input.replace.image.digest),
		wording.name(input.replace.host.name),
		wording.name(input.replace.image.track),
	])
}

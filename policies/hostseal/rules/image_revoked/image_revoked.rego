# METADATA
# title: The host runs a revoked image
# description: >
#   The site's data says that this image was taken back, and why. A host that runs it is replaced.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST SI-2, NIST CM-2, NIST CM-14, PCI 6.3, CIS 7.7, SOC2 CC7.1]
#   flags: always
#   tuning: [images_revoked]
package hostseal.rules.image_revoked

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	message := sprintf("The image %s was revoked: %s.", [wording.name(input.event.data.image.id), wording.sentence(why)])
}

asks contains "flag" if is_string(why)

why := data.hostseal.site.images_revoked[input.event.data.image.id] if input.event.type == "agent.heartbeat"

# METADATA
# title: A sealed file changed
# description: >
#   Something changed files that the image laid down. The host's own playbooks are exempt where every path
#   and hash was declared, and automation's sessions where the site's data says to record them.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST CM-5, NIST SI-7, PCI 11.5]
package hostseal.rules.sealed_file_changed

import data.hostseal.finding
import data.hostseal.wording
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	changed
	message := sprintf("%s changed %s.", [writer.described, wording.paths(input.event.data)])
}

asks contains "flag" if changed

changed if {
	input.event.type == "files.changed"
	not exempt
}

exempt if writer.own_action

exempt if {
	writer.automation_session
	data.hostseal.site.automation_changes == "record"
}

# METADATA
# title: Somebody tampered with Hostseal itself
# description: >
#   Something changed the agent, its settings, its units, its policies or its lines for PAM and sshd, and it was
#   neither the host's own playbook with what that had declared nor an upgrade or automation that the site's data
#   excuses.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   controls: [NIST AU-9, NIST SI-7, NIST CM-5, PCI 10.7, PCI 11.5, CIS 13.2, SOC2 CC7.2]
#   flags: always
#   tuning: [agent_tampered]
package hostseal.rules.agent_tampered

import data.hostseal.drift
import data.hostseal.finding

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(found) > 0
	message := sprintf("%s changed Hostseal itself: %s.", [drift.actor, drift.shown(found)])
}

asks contains "flag" if count(found) > 0

found := drift.under(data.hostseal.site.agent_tampered.paths)

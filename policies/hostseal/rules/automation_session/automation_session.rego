# METADATA
# title: Automation's session
# description: >
#   Automation is never suspect. Where its connection was taken for a person's, its channel lifts that.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST AC-17, NIST AU-12, PCI 8.6, CIS 5.5, SOC2 CC6.1]
#   flags: never
#   tuning: [automation]
package hostseal.rules.automation_session

import data.hostseal.identity

asks contains "lift" if {
	input.event.type == "session.channel"
	input.standing.state == "suspect"
	identity.automation
}

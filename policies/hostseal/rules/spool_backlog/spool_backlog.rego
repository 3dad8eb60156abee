# METADATA
# title: Events wait on the host
# description: >
#   More events wait to be decided than the site's data allows, or one has waited for too long, or playbook runs
#   were given up: what was decided is late, or not done.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AU-5, NIST SI-4, PCI 10.7, CIS 8.9, SOC2 CC7.2]
#   flags: never
#   tuning: [spool_backlog]
package hostseal.rules.spool_backlog

import data.hostseal.finding

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "agent.heartbeat"
	some message in problems
}

spool := input.event.data.spool

allowed := data.hostseal.site.spool_backlog

problems contains sprintf("%d events wait to be decided; %d are allowed.", [spool.pending, allowed.max_pending]) if {
	is_number(spool.pending)
	spool.pending > allowed.max_pending
}

problems contains sprintf("An event has waited %d seconds to be decided; %d are allowed.", [
	waited,
	allowed.max_seconds,
]) if {
	waited > allowed.max_seconds
}

problems contains sprintf("%d playbook runs were given up; hostseal status names them.", [spool.dead]) if {
	is_number(spool.dead)
	spool.dead > 0
}

waited := floor(spool.oldest_seconds) if is_number(spool.oldest_seconds)

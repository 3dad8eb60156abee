# METADATA
# title: A play patches an immutable host in place
# description: >
#   What a play changes on a running host is in no image and is gone with the host's replacement. Check mode, reading,
#   Hostseal's own roles, mutable hosts and the hosts that build images are let through.
# schemas:
#   - input: schema.play.decision
# custom:
#   severity: high
#   controls: [NIST CM-3, NIST CM-5, PCI 6.5, CIS 4.1, SOC2 CC8.1]
package hostseal.play_rules.patched_in_place

import data.hostseal.finding
import data.hostseal.gate
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if some message in sentences

# METADATA
# description: One sentence about the hosts where it is refused, one about those where that is only observed.
sentences[force] := message if {
	some force, hosts in gate.sealed(known)
	count(hosts) > 0
	message := sprintf("The play %s patches %s in place: %s. Build a new image with the change and replace the %s.", [
		wording.name(input.play.name),
		wording.hosts(hosts),
		wording.tasks(gate.reaching(known, hosts)),
		wording.host_noun(count(hosts)),
	])
}

known := [task | some task in gate.changing; not task.dynamic]

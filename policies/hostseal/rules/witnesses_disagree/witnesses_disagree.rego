# METADATA
# title: The witnesses of a login disagree
# description: >
#   A session that one witness has seen is not known to another that must have seen it, or somebody else writes in
#   sshd's name. It flags the host where the site's data lists the witness that is missing.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AU-5, NIST AU-10, NIST SI-4, PCI 10.2, PCI 10.7, CIS 8.11, SOC2 CC7.2]
#   flags: where `flag_on_disagreement` lists the witness
#   tuning: [flag_on_disagreement]
package hostseal.rules.witnesses_disagree

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "witnesses.disagree"
	message := sprintf("The witnesses of a login by %s from %s disagree%s: seen by %s, not by %s; %s.", [
		wording.name(input.event.data.user),
		wording.source(input.event.data),
		often,
		witnesses(input.event.data.seen_by),
		witnesses(input.event.data.missing),
		wording.sentence(input.event.data.why),
	])
}

asks contains "flag" if {
	input.event.type == "witnesses.disagree"
	some witness in input.event.data.missing
	witness in data.hostseal.site.flag_on_disagreement
}

default often := ""

often := sprintf(" (%d times)", [input.event.data.count]) if input.event.data.count > 1

witnesses(names) := "nobody" if count(names) == 0

witnesses(names) := concat(", ", [wording.name(name) | some name in names]) if count(names) > 0

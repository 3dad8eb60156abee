# METADATA
# title: Findings
# description: A finding takes its rule's name, severity and controls from the rule's own metadata.
package hostseal.finding

# METADATA
# description: >
#   The finding of the rule package that made `chain` (rego.metadata.chain()) with a message for a person.
from_rule(chain, message) := {
	"rule": package_entry.path[2],
	"severity": package_entry.annotations.custom.severity,
	"message": message,
	"controls": package_entry.annotations.custom.controls,
} if {
	package_entry := chain[count(chain) - 1]
	package_entry.path[0] == "hostseal"
	package_entry.path[1] in {"rules", "policy_rules", "play_rules", "replace_rules", "login_rules", "grant_rules"}
}

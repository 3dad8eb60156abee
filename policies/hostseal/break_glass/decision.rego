# METADATA
# title: Break-glass
# description: >
#   May a certificate be made, and does a certificate that somebody logs in with hold. Nothing here depends on a host's
#   mode: it is not the host that is asked whether the authority signs.
package hostseal.break_glass

import data.hostseal.break_glass.shape
import data.hostseal.malformed

# METADATA
# description: Whether the certificate in the input may be made, new (`grant`) or longer (`extend`).
# entrypoint: true
# schemas:
#   - input: schema.break_glass.decision
decision := {
	"allowed": count(violations) == 0,
	"violations": violations,
	"findings": [finding | some finding in findings],
	"actions": ["refuse" | count(violations) > 0],
	"would": [],
	"deadline_seconds": null,
} if {
	shape.well_formed
}

decision := malformed.answer("The certificate", shape.problems, ["refuse"], []) if not shape.well_formed

findings contains finding if {
	some rule
	found := data.hostseal.grant_rules[rule].findings
	some finding in found
}

violations := [finding.message | some finding in findings]

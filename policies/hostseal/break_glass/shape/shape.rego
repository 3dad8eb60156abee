# METADATA
# title: Which questions about a certificate to be made get an answer
# description: What every rule about grants relies on, checked once. Looser than the schema.
# schemas:
#   - input: schema.break_glass.decision
package hostseal.break_glass.shape

import data.hostseal.malformed

well_formed if {
	input.break_glass.asks in {"grant", "extend"}
	is_number(input.break_glass.seconds)
	is_number(input.break_glass.total_seconds)
	is_string(input.break_glass.authority)
	is_boolean(input.break_glass.grant.drill)
	is_number(data.hostseal.site.break_glass.max_seconds)
	is_number(data.hostseal.site.break_glass.max_total_seconds)
	is_array(input.break_glass.extensions)
	every name in input.break_glass.extensions {
		is_string(name)
	}
	every name in ["user", "host", "instance", "ticket", "reason", "person"] {
		is_string(input.break_glass.grant[name])
	}
}

# METADATA
# scope: document
# description: What of the input is not as it should be, for the sentence that says so.
default problems := {"there is no input"}

problems := malformed.missing(input, parts) | spoilt

spoilt contains "break_glass.extensions holds something else than texts" if {
	is_array(input.break_glass.extensions)
	some name in input.break_glass.extensions
	not is_string(name)
}

spoilt contains sprintf("the site's data has no break_glass.%s", [limit]) if {
	some limit in ["max_seconds", "max_total_seconds"]
	not known(limit)
}

known(limit) if is_number(data.hostseal.site.break_glass[limit])

parts := {
	"break_glass.asks": ["grant", "extend"],
	"break_glass.seconds": {"number"},
	"break_glass.total_seconds": {"number"},
	"break_glass.authority": {"string"},
	"break_glass.extensions": {"array"},
	"break_glass.grant.drill": {"boolean"},
	"break_glass.grant.user": {"string"},
	"break_glass.grant.host": {"string"},
	"break_glass.grant.instance": {"string"},
	"break_glass.grant.ticket": {"string"},
	"break_glass.grant.reason": {"string"},
	"break_glass.grant.person": {"string"},
}

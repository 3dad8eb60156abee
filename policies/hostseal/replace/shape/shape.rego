# METADATA
# title: Which questions about a replacement get an answer
# description: What every rule about replacements relies on, checked once. Looser than the schema.
# schemas:
#   - input: schema.replace.decision
package hostseal.replace.shape

import data.hostseal.malformed

well_formed if {
	is_string(input.replace.host.name)
	is_string(input.replace.host.slot)
	is_number(input.replace.host.generation)
	is_string(input.replace.host.instance_id)
	input.replace.standing in {"sealed", "suspect", "flagged"}
	incident(input.replace.incident)
	is_boolean(input.replace.held)
	is_number(input.replace.attempts)
	moment(input.replace.now)
	is_string(input.replace.image.digest)
	is_string(input.replace.image.track)
	is_string(input.replace.requested_by)
}

incident(null)

incident(one) if {
	is_string(one.id)
	one.deadline == null
}

incident(one) if {
	is_string(one.id)
	moment(one.deadline)
}

moment(text) if is_number(time.parse_rfc3339_ns(text))

# METADATA
# scope: document
# description: What of the input is not as it should be, for the sentence that says so.
default problems := {"there is no input"}

problems := malformed.missing(input, parts) | spoilt

spoilt contains "replace.now is no time as RFC 3339 has it" if {
	is_string(input.replace.now)
	not moment(input.replace.now)
}

spoilt contains "replace.incident.deadline is no time as RFC 3339 has it" if {
	is_string(input.replace.incident.deadline)
	not moment(input.replace.incident.deadline)
}

spoilt contains sprintf("replace.incident.%s", [reason]) if {
	is_object(input.replace.incident)
	some reason in malformed.missing(input.replace.incident, {"id": {"string"}, "deadline": {"null", "string"}})
}

parts := {
	"replace.host.name": {"string"},
	"replace.host.slot": {"string"},
	"replace.host.generation": {"number"},
	"replace.host.instance_id": {"string"},
	"replace.standing": ["sealed", "suspect", "flagged"],
	"replace.incident": {"null", "object"},
	"replace.held": {"boolean"},
	"replace.attempts": {"number"},
	"replace.now": {"string"},
	"replace.image.digest": {"string"},
	"replace.image.track": {"string"},
	"replace.requested_by": {"string"},
}

# METADATA
# title: Which questions about a replacement get an answer
# description: What every rule about replacements relies on, checked once. Looser than the schema.
# schemas:
#   - input: schema.replace.decision
package hostseal.replace.shape

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

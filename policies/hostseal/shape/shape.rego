# METADATA
# title: Which inputs get an answer
# description: >
#   What every rule relies on, checked once. Looser than the schema on purpose: a newer agent may say more,
#   and its events still need a decision.
# schemas:
#   - input: schema.input
package hostseal.shape

well_formed if {
	is_string(input.event.id)
	is_string(input.event.type)
	is_number(input.event.seq)
	is_string(input.event.host.name)
	input.standing.state in {"sealed", "suspect", "flagged"}
	not malformed_data
}

malformed_data if not is_object(input.event.data)

malformed_data if {
	input.event.type in {"login.requested", "session.opened", "session.closed", "session.channel"}
	not is_string(input.event.data.user)
}

malformed_data if {
	input.event.type == "session.channel"
	not is_string(input.event.data.kind)
}

malformed_data if {
	input.event.type == "files.changed"
	not readable_changes
}

malformed_data if {
	input.event.type == "sensor.lost"
	not readable_loss
}

readable_changes if {
	input.event.data.writer.kind in {"session", "executable", "action", "unknown"}
	input.event.data.confidence in {"exact", "inferred", "unknown"}
	is_array(input.event.data.paths)
	is_number(input.event.data.count)
	is_boolean(input.event.data.truncated)
	every change in input.event.data.paths {
		is_string(change.path)
	}
}

readable_loss if {
	is_string(input.event.data.sensor)
	is_string(input.event.data.cause)
	is_string(input.event.data.scope)
}

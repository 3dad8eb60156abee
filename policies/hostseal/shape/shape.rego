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
	is_object(input.event.data)
	input.standing.state in {"sealed", "suspect", "flagged"}
	readable
}

# Types that no rule reads need nothing in their data.
readable if not input.event.type in read_by_rules

readable if {
	input.event.type in {"login.requested", "session.opened", "session.closed"}
	is_string(input.event.data.user)
}

readable if {
	input.event.type == "session.channel"
	is_string(input.event.data.user)
	is_string(input.event.data.kind)
}

readable if {
	input.event.type == "session.privilege"
	is_string(input.event.data.session.user)
	is_string(input.event.data.target)
}

readable if {
	input.event.type == "session.left_behind"
	is_string(input.event.data.session.user)
	is_number(input.event.data.count)
	is_array(input.event.data.processes)
}

readable if {
	input.event.type == "witnesses.disagree"
	is_string(input.event.data.user)
	is_string(input.event.data.why)
	is_number(input.event.data.count)
	is_array(input.event.data.seen_by)
	is_array(input.event.data.missing)
	every witness in array.concat(input.event.data.seen_by, input.event.data.missing) {
		is_string(witness)
	}
}

readable if {
	input.event.type == "files.changed"
	input.event.data.writer.kind in {"session", "executable", "action", "unknown"}
	input.event.data.confidence in {"exact", "inferred", "unknown"}
	is_number(input.event.data.count)
	is_boolean(input.event.data.truncated)
	is_array(input.event.data.paths)
	every change in input.event.data.paths {
		is_string(change.path)
	}
}

readable if {
	input.event.type == "seal.broken"
	is_string(input.event.data.cause)
	is_number(input.event.data.count)
	is_array(input.event.data.differences)
	every difference in input.event.data.differences {
		is_string(difference.path)
		is_string(difference.change)
	}
}

readable if {
	input.event.type == "seal.untrusted"
	is_string(input.event.data.cause)
	is_string(input.event.data.manifest)
	is_string(input.event.data.detail)
}

readable if {
	input.event.type == "sensor.lost"
	is_string(input.event.data.sensor)
	is_string(input.event.data.cause)
	is_string(input.event.data.scope)
}

readable if {
	input.event.type == "operator.flagged"
	is_string(input.event.data.person)
	is_string(input.event.data.reason)
}

readable if {
	input.event.type == "certificate.refused"
	is_string(input.event.data.user)
	is_string(input.event.data.why)
	is_string(input.event.data.key_id)
}

readable if {
	input.event.type == "login.refused"
	is_string(input.event.data.user)
	input.event.data.phase in {"account", "session"}
}

readable if {
	input.event.type == "login.unasked"
	is_string(input.event.data.user)
	is_string(input.event.data.cause)
	input.event.data.phase in {"account", "session"}
}

readable if {
	input.event.type == "gate.changed"
	is_string(input.event.data.state)
	is_string(input.event.data.before)
	is_string(input.event.data.cause)
}

readable if {
	input.event.type == "operator.asked"
	is_string(input.event.data.person)
	is_string(input.event.data.reason)
	input.event.data.wish in {"lockdown", "terminate_session"}
}

readable if {
	input.event.type == "lockdown.released"
	input.event.data.how in {"signed", "purge"}
	is_string(input.event.data.incident)
	is_string(input.event.data.level)
	is_string(input.event.data.person)
	is_string(input.event.data.reason)
}

read_by_rules := {
	"login.refused",
	"login.unasked",
	"gate.changed",
	"login.requested",
	"session.opened",
	"session.closed",
	"session.channel",
	"session.privilege",
	"session.left_behind",
	"witnesses.disagree",
	"files.changed",
	"seal.broken",
	"seal.untrusted",
	"sensor.lost",
	"operator.flagged",
	"certificate.refused",
	"operator.asked",
	"lockdown.released",
}

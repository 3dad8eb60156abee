package hostseal.shape

import data.hostseal.malformed

# METADATA
# scope: document
# description: What of the input is not as every rule relies on, for the sentence that says so.
problems := malformed.missing(asked, object.union(common, read)) if count(told) > 0

problems := {"there is no event in it"} if count(told) == 0

asked := {"event": told, "standing": standing}

# Key by key: `opa deps` tells by it that nothing is missing where the rest was masked.
told["id"] := input.event.id

told["type"] := input.event.type

told["seq"] := input.event.seq

told["host"] := {"name": input.event.host.name}

told["data"] := input.event.data

standing["state"] := input.standing.state

read[sprintf("event.data.%s", [name])] := wanted if some name, wanted in parts[input.event.type]

common := {
	"event.id": {"string"},
	"event.type": {"string"},
	"event.seq": {"number"},
	"event.host.name": {"string"},
	"event.data": {"object"},
	"standing.state": ["sealed", "suspect", "flagged"],
}

# By the event's type, below event.data.
parts := {
	"login.requested": login,
	"session.opened": login,
	"session.closed": login,
	"session.channel": {"user": {"string"}, "kind": {"string"}},
	"session.privilege": {"session.user": {"string"}, "target": {"string"}},
	"session.left_behind": {"session.user": {"string"}, "count": {"number"}, "processes": {"array"}},
	"witnesses.disagree": {
		"user": {"string"},
		"why": {"string"},
		"count": {"number"},
		"seen_by": {"array"},
		"missing": {"array"},
	},
	"files.changed": {
		"writer.kind": ["session", "executable", "action", "unknown"],
		"confidence": ["exact", "inferred", "unknown"],
		"count": {"number"},
		"truncated": {"boolean"},
		"paths": {"array"},
	},
	"seal.broken": {"cause": {"string"}, "count": {"number"}, "differences": {"array"}},
	"seal.untrusted": {"cause": {"string"}, "manifest": {"string"}, "detail": {"string"}},
	"sensor.lost": {"sensor": {"string"}, "cause": {"string"}, "scope": {"string"}},
	"operator.flagged": {"person": {"string"}, "reason": {"string"}},
	"certificate.refused": {"user": {"string"}, "why": {"string"}, "key_id": {"string"}},
	"login.refused": phased,
	"login.unasked": phased,
	"gate.changed": {"state": {"string"}, "before": {"string"}, "cause": {"string"}},
	"operator.asked": {"person": {"string"}, "reason": {"string"}, "wish": ["lockdown", "terminate_session"]},
	"lockdown.released": {
		"how": ["signed", "purge"],
		"incident": {"string"},
		"level": {"string"},
		"person": {"string"},
		"reason": {"string"},
	},
}

login := {"user": {"string"}}

phased := {"user": {"string"}, "phase": ["account", "session"]}

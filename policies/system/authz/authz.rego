# METADATA
# title: Who may ask this OPA what
# description: >
#   Denies by default. The health of the server is open; everything else needs a client's token,
#   of which the host itself loaded the digests (`hostseal_local` is outside the bundle). No client
#   reads the site's data or a policy, none compiles or queries, and none changes anything, so a
#   stolen token cannot make the policy lie.
# related_resources:
#   - https://www.openpolicyagent.org/docs/security
package system.authz

default allow := false

allow if {
	input.method == "GET"
	input.path == ["health"]
}

allow if {
	input.method in {"GET", "POST"}
	not explained
	array.slice(input.path, 0, 2) == ["v1", "data"]
	asked := concat("/", array.slice(input.path, 2, count(input.path)))
	some client in clients
	asked in decisions[client]
}

allow if {
	input.method == "GET"
	some client in clients
	input.path in reads[client]
}

# What is asked on the host itself, and what is asked by whoever wants to change hosts.
decisions := {
	"agent": {
		"hostseal/event/decision",
		"hostseal/login/decision",
		"hostseal/host/profile",
		"hostseal/release/told",
	},
	"gate": {
		"hostseal/play/decision",
		"hostseal/replace/decision",
		"hostseal/break_glass/decision",
		"hostseal/host/profile",
	},
	"operator": {"hostseal/release/told"},
}

# OPA's trace of a decision names the policy's lines and what they read of the site's data.
explained if input.params.explain

# How the server is: the agent sees by it whether its decision log arrives.
reads := {
	"agent": {["v1", "status"]},
	"gate": set(),
	"operator": {["v1", "status"], ["metrics"]},
}

# METADATA
# scope: document
# description: >
#   Whose token it is. A client that the two tables do not know may do nothing. Where the host has
#   told of one token only, as older ones do, that is everybody's.
clients contains client if {
	some client, known in data.hostseal_local.clients
	known.token_sha256 == digest
}

clients contains client if {
	not data.hostseal_local.clients
	data.hostseal_local.token_sha256 == digest
	some client, _ in decisions
}

# `input.identity` is the bearer token; an empty one is none.
digest := crypto.sha256(input.identity) if input.identity != ""

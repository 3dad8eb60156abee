# METADATA
# title: Which logins get an answer
# description: What every rule about logins relies on, checked once. Looser than the schema.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
package hostseal.login.shape

import data.hostseal.malformed

well_formed if {
	is_string(input.event.id)
	input.event.type in {"login.requested", "session.opened"}
	is_string(input.event.host.name)
	is_string(input.event.host.machine_id)
	is_string(input.event.data.user)
	input.standing.state in {"sealed", "suspect", "flagged"}
	input.login.phase in {"account", "session"}
	is_boolean(input.login.used)
	is_boolean(input.login.armed)
	is_string(input.login.instance)
	moment(input.login.time)
	certificate(input.login.certificate)
}

certificate(null)

certificate(one) if {
	is_string(one.key_id)
	is_array(one.principals)
	is_number(one.serial)
	is_string(one.ca_fingerprint)
}

# METADATA
# scope: document
# description: What of the input is not as it should be, for the sentence that says so.
default problems := {"there is no input"}

problems := malformed.missing(input, parts) | spoilt

spoilt contains "login.time is no time as RFC 3339 has it" if {
	is_string(input.login.time)
	not moment(input.login.time)
}

spoilt contains sprintf("login.certificate.%s", [reason]) if {
	is_object(input.login.certificate)
	some reason in malformed.missing(input.login.certificate, certified)
}

parts := {
	"event.id": {"string"},
	"event.type": ["login.requested", "session.opened"],
	"event.host.name": {"string"},
	"event.host.machine_id": {"string"},
	"event.data.user": {"string"},
	"standing.state": ["sealed", "suspect", "flagged"],
	"login.phase": ["account", "session"],
	"login.used": {"boolean"},
	"login.armed": {"boolean"},
	"login.instance": {"string"},
	"login.time": {"string"},
	"login.certificate": {"null", "object"},
}

certified := {
	"key_id": {"string"},
	"principals": {"array"},
	"serial": {"number"},
	"ca_fingerprint": {"string"},
}

moment(text) if is_number(time.parse_rfc3339_ns(text))

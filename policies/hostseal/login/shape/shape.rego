# METADATA
# title: Which logins get an answer
# description: What every rule about logins relies on, checked once. Looser than the schema.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
package hostseal.login.shape

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
	is_number(time.parse_rfc3339_ns(input.login.time))
	certificate(input.login.certificate)
}

certificate(null)

certificate(one) if {
	is_string(one.key_id)
	is_array(one.principals)
	is_number(one.serial)
	is_string(one.ca_fingerprint)
}

# METADATA
# title: Which questions about a certificate to be made get an answer
# description: What every rule about grants relies on, checked once. Looser than the schema.
# schemas:
#   - input: schema.break_glass.decision
package hostseal.break_glass.shape

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

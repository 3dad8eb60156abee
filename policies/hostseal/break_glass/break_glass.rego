# METADATA
# title: Break-glass certificates
# description: Whether a login shows one, and what is wrong with it.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
package hostseal.break_glass

presented if input.login.certificate.ca_fingerprint in data.hostseal.site.break_glass.authorities

drill if input.login.certificate.critical_options["force-command"]

problems contains "it was used before." if {
	presented
	input.login.used
}

# METADATA
# title: Who may ask this OPA what
# description: >
#   Denies by default. The health of the server is open; everything else needs the token whose digest
#   the host itself loaded (`hostseal_local` is outside the bundle). The token asks for decisions; it
#   changes neither policies nor data, so a stolen one cannot make the policy lie.
# related_resources:
#   - https://www.openpolicyagent.org/docs/security
package system.authz

default allow := false

allow if {
	input.method == "GET"
	input.path == ["health"]
}

allow if {
	known_token
	input.method in {"GET", "POST"}
	array.slice(input.path, 0, 3) == ["v1", "data", "hostseal"]
}

allow if {
	known_token
	input.method == "GET"
	input.path in {["metrics"], ["v1", "status"]}
}

known_token if crypto.sha256(input.identity) == data.hostseal_local.token_sha256

# METADATA
# title: A login by a weak kind of key
# description: >
#   The type of the key is not one that the site's data allows, is not known, or the key is an RSA key with too few
#   bits. Whose login it is does not matter.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST IA-5, NIST SC-13, PCI 8.3, CIS 3.10, SOC2 CC6.1]
#   flags: never
#   tuning: [weak_key]
package hostseal.rules.weak_key

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "session.opened"
	key.method == "publickey"
	message := sprintf("%s used a key %s.", [wording.login(identity.subject), weakness])
}

key := input.event.data.key

weakness := "of a type that is not known" if not is_string(key.type)

weakness := sprintf("of type %s, which is not allowed", [wording.name(type)]) if not allowed

weakness := sprintf("of only %d bits; RSA keys need %d", [key.bits, data.hostseal.site.weak_key.rsa_bits]) if {
	allowed
	type == "ssh-rsa"
	is_number(key.bits)
	key.bits < data.hostseal.site.weak_key.rsa_bits
}

# A certificate is as strong as the key it is for; a security key's type has OpenSSH's domain either way.
type := trim_suffix(trim_suffix(key.type, "-cert-v01@openssh.com"), "@openssh.com")

allowed if data.hostseal.site.weak_key.types[type] == true

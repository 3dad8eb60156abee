# METADATA
# title: What a refused certificate means
# description: Which causes are misuse, what is said of each, and whether the site takes it for a broken seal.
# schemas:
#   - input: schema.input
package hostseal.refusal

import data.hostseal.wording

# METADATA
# description: The certificate is somebody's or some host's that it was not offered by or to.
misuse if {
	input.event.type == "certificate.refused"
	input.event.data.why in {"revoked", "foreign", "replayed", "unproven", "wrong_source"}
}

# METADATA
# description: The site says that such a refusal breaks the seal.
breaks_seal if {
	input.event.type == "certificate.refused"
	input.event.data.why in data.hostseal.site.break_glass.flag_on_refused
}

# METADATA
# scope: document
# description: The refusal, for a person.
sentence := sprintf("%s was refused to %s from %s: %s%s.", [
	named,
	wording.name(input.event.data.user),
	wording.source(input.event.data),
	object.get(causes, input.event.data.why, wording.name(input.event.data.why)),
	more,
]) if {
	input.event.type == "certificate.refused"
}

named := sprintf("Certificate %s (serial %d)", [wording.name(input.event.data.key_id), input.event.data.serial]) if {
	numbered
}

named := sprintf("Certificate %s", [wording.name(input.event.data.key_id)]) if {
	not numbered
}

numbered if is_number(input.event.data.serial)

default more := ""

more := sprintf(" (and %d more since the last one reported)", [input.event.data.unreported]) if {
	input.event.data.unreported > 0
}

causes := {
	"expired": "it has expired",
	"not_yet_valid": "it is not valid yet",
	"foreign": "it is not for this account on this host",
	"unknown_authority": "it is by an authority that this host does not trust",
	"revoked": "it was taken back",
	"unchecked": "the list of what was taken back cannot be read",
	"wrong_source": "it is not for this address",
	"wrong_options": "it demands what sshd does not know",
	"unproven": "whoever offered it did not show its private key",
	"replayed": "it was used before",
}

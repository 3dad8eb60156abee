# Whether a certificate that somebody logs in with is a break-glass certificate, and whether it holds.
package hostseal.break_glass

import data.hostseal.wording

# METADATA
# scope: document
# description: The login's certificate is signed by a break-glass authority of the site.
default presented := false

presented if input.login.certificate.ca_fingerprint in data.hostseal.site.break_glass.authorities

# METADATA
# scope: document
# description: The certificate can do nothing but show that it works.
default drill := false

drill if {
	presented
	input.login.certificate.critical_options["force-command"] == drill_command
}

drill_command := "echo 'hostseal: break-glass works on this host'"

# METADATA
# scope: document
# description: >
#   Why a break-glass certificate does not hold; nothing when it does, or when none was presented. What cannot be made
#   sure of is a problem.
problems contains "The certificate was made for another account." if {
	presented
	not for_account
}

problems contains "The certificate was made for another host, or for one that this host has replaced." if {
	presented
	not for_host
}

problems contains sprintf("The certificate does not hold now: it holds from %s to %s.", [after, before]) if {
	presented
	not holds_now
	after := moment(input.login.certificate, "valid_after")
	before := moment(input.login.certificate, "valid_before")
}

problems contains sprintf("The certificate holds longer than the %d seconds this site allows.", [limit]) if {
	presented
	limit := data.hostseal.site.break_glass.max_seconds
	not short_enough
}

problems contains "The certificate was used on this host before; it is good for one login." if {
	presented
	not unused
}

problems contains "The certificate names no ticket of this site." if {
	presented
	not has_ticket
}

problems contains "The certificate gives no reason." if {
	presented
	not has_reason
}

problems contains sprintf("The certificate would allow %s.", [wording.name(name)]) if {
	presented
	some name, _ in input.login.certificate.extensions
	not endswith(name, "@hostseal")
	not name in data.hostseal.site.break_glass.extensions
}

certified := split(principal, "@") if [principal] = input.login.certificate.principals

for_account if certified[0] == input.event.data.user

for_host if {
	count(certified) == 2
	certified[1] == input.login.instance
	input.login.instance != ""
}

holds_now if {
	now := nanoseconds(input.login.time)
	nanoseconds(input.login.certificate.valid_after) <= now
	now < nanoseconds(input.login.certificate.valid_before)
}

# The operator's clock may be ahead of the host's: a certificate begins a minute early (core/break_glass.py).
short_enough if {
	ends := nanoseconds(input.login.certificate.valid_before)
	begins := nanoseconds(input.login.certificate.valid_after)
	ends - begins <= (data.hostseal.site.break_glass.max_seconds + skew_seconds) * 1000000000
}

skew_seconds := 60

unused if input.login.used == false

has_ticket if {
	ticket := input.login.certificate.extensions["ticket@hostseal"]
	regex.match(data.hostseal.site.break_glass.ticket_pattern, ticket)
}

has_reason if trim_space(input.login.certificate.extensions["reason@hostseal"]) != ""

nanoseconds(text) := time.parse_rfc3339_ns(text)

default moment(_, _) := "an unknown time"

moment(certificate, name) := wording.name(certificate[name])

# METADATA
# title: Person or automation
# description: >
#   Automation is told from people by account and, where fingerprints are listed, by the key that
#   logged in; never by having a terminal or not. Whoever is not proven to be automation is a person.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
package hostseal.identity

# METADATA
# scope: document
# description: The login that the event is about. Undefined when the event has none.
subject := {
	"user": input.event.data.user,
	"source": object.get(input.event.data, "source", null),
	"key": object.get(input.event.data, "key", null),
} if {
	input.event.type in {"login.requested", "login.refused", "login.unasked", "session.opened", "session.closed"}
}

subject := {
	"user": input.event.data.user,
	"source": object.get(input.event.data, "source", null),
	"key": channel_key,
} if {
	input.event.type == "session.channel"
}

subject := {
	"user": input.event.data.session.user,
	"source": object.get(input.event.data.session, "source", null),
	"key": object.get(input.event.data.session, "key", null),
} if {
	input.event.type in {"session.privilege", "session.left_behind", "session.commands"}
}

subject := {
	"user": input.event.data.writer.session.user,
	"source": object.get(input.event.data.writer.session, "source", null),
	"key": object.get(input.event.data.writer.session, "key", null),
} if {
	input.event.type == "files.changed"
	input.event.data.writer.kind == "session"
}

# A key speaks for the channel only if the recorded session is of the same user.
default channel_key := null

channel_key := input.event.data.session.key if input.event.data.session.user == input.event.data.user

# METADATA
# description: The login is automation's, by account and, where fingerprints are listed, by key.
automation if is_automation(subject)

# METADATA
# description: A login's user and key are automation's.
is_automation(login) if {
	login.user in data.hostseal.site.automation.accounts
	proven_by_key(login)
}

proven_by_key(_) if count(data.hostseal.site.automation.key_fingerprints) == 0

proven_by_key(login) if login.key.fingerprint in data.hostseal.site.automation.key_fingerprints

# METADATA
# description: >
#   The login may be automation's: the account is, and in PAM's account phase the key is not known yet. What is shown
#   there is not proven either, so it may excuse a login and never accuse one.
perhaps_automation if {
	input.login.phase == "account"
	subject.user in data.hostseal.site.automation.accounts
}

# METADATA
# description: There is a login, and nothing proves it to be automation's.
person if {
	subject
	not automation
}

# METADATA
# title: Who wrote
# description: >
#   The writer of a change set, as far as it is known. A guess is worded as one, and nothing that is only
#   guessed exempts anybody.
# schemas:
#   - input: schema.input
package hostseal.writer

import data.hostseal.identity
import data.hostseal.wording

# METADATA
# description: The host's own playbook wrote, and only what it had declared. A list cut short proves nothing.
own_action if {
	input.event.data.writer.kind == "action"
	input.event.data.truncated == false
	count(input.event.data.paths) > 0
	every change in input.event.data.paths {
		change.expected == true
	}
}

# METADATA
# description: A session of automation wrote, and that is known.
automation_session if {
	input.event.data.confidence in {"exact", "inferred"}
	identity.automation
}

# METADATA
# description: >
#   A package manager wrote in one of the system's own units for upgrades, and that is known. Never where something that
#   a session had laid started it.
package_upgrade if {
	input.event.data.writer.kind == "executable"
	input.event.data.writer.role == "package_manager"
	input.event.data.writer.unit in data.hostseal.site.upgrade_units
	input.event.data.confidence in {"exact", "inferred"}
	not is_object(input.event.data.writer.via)
}

# METADATA
# scope: document
# description: >
#   What is written is expected of this writer: the host's own playbook, and automation and package upgrades where the
#   site's data does not say that they break the seal.
excused if own_action

excused if {
	automation_session
	data.hostseal.site.automation_changes in {"allow", "record"}
}

excused if {
	package_upgrade
	data.hostseal.site.package_upgrades in {"allow", "record"}
}

# METADATA
# scope: document
# description: The login whose session wrote, or laid what wrote.
responsible := identity.subject if input.event.data.writer.kind == "session"

responsible := {
	"user": input.event.data.writer.via.session.user,
	"source": object.get(input.event.data.writer.via.session, "source", null),
	"key": object.get(input.event.data.writer.via.session, "key", null),
} if {
	input.event.data.writer.kind != "session"
}

# METADATA
# description: A person's session wrote, or laid what wrote.
person if {
	responsible
	not identity.is_automation(responsible)
}

# METADATA
# scope: document
# description: The writer in words for a person.
default described := "An unknown writer"

described := sprintf("%s%s", [wording.login(identity.subject), by_program]) if {
	known_session
	input.event.data.confidence == "exact"
}

described := sprintf("Probably %s%s", [wording.login(identity.subject), by_program]) if {
	known_session
	input.event.data.confidence == "inferred"
}

described := sprintf("The program %s%s%s", [wording.name(input.event.data.writer.exe), by_user, laid]) if {
	input.event.data.writer.kind == "executable"
	is_string(input.event.data.writer.exe)
}

described := sprintf("The playbook action %s", [wording.name(input.event.data.writer.action)]) if {
	input.event.data.writer.kind == "action"
	is_string(input.event.data.writer.action)
}

known_session if {
	input.event.data.writer.kind == "session"
	is_string(identity.subject.user)
}

default by_program := ""

by_program := sprintf(", by %s,", [wording.name(input.event.data.writer.exe)])

default by_user := ""

by_user := sprintf(" (uid %d)", [input.event.data.writer.uid]) if is_number(input.event.data.writer.uid)

default laid := ""

laid := sprintf(" of %s", [wording.name(input.event.data.writer.unit)]) if {
	is_string(input.event.data.writer.unit)
	not is_object(input.event.data.writer.via)
}

laid := sprintf(", started by %s that %s laid,", [
	wording.name(input.event.data.writer.via.path),
	wording.login(responsible),
]) if {
	is_object(input.event.data.writer.via)
}

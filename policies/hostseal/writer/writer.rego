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

described := sprintf("The program %s%s", [wording.name(input.event.data.writer.exe), by_user]) if {
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

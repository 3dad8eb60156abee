# METADATA
# title: Words for people
# description: >
#   Sentences name what was seen. Names come from whoever was seen, so anything but plain characters is
#   quoted with escapes, and all of it is bounded.
package hostseal.wording

# METADATA
# scope: document
# description: A name as it is when it is plain, else quoted with escapes; at most 200 characters of it.
name(text) := text if regex.match(plain, text)

name(text) := sprintf("%q", [text]) if {
	not regex.match(plain, text)
	count(text) <= longest_name
}

name(text) := sprintf("%q…", [substring(text, 0, longest_name)]) if {
	not regex.match(plain, text)
	count(text) > longest_name
}

longest_name := 200

plain := `^[A-Za-z0-9_./:@%+=,~-]{1,200}$`

# METADATA
# scope: document
# description: A sentence of the agent's own as it is, anything else as a name.
sentence(text) := text if regex.match(`^[A-Za-z][A-Za-z0-9 ,;:'?()-]{1,200}$`, text)

sentence(text) := name(text) if not regex.match(`^[A-Za-z][A-Za-z0-9 ,;:'?()-]{1,200}$`, text)

# METADATA
# description: A login with its key and where it came from.
login(subject) := sprintf("%s (%s) from %s", [name(subject.user), credential(subject), source(subject)])

default source(_) := "an unknown address"

source(subject) := name(subject.source)

default credential(_) := "no key on record"

credential(subject) := sprintf("key %s", [name(subject.key.fingerprint)]) if not subject.key.certificate.key_id

credential(subject) := sprintf("certificate %s, key %s", [
	name(subject.key.certificate.key_id),
	name(subject.key.fingerprint),
])

# A change set counts notifications; its paths are counted here, unless it holds only some of them.
total_paths(changes) := count(changes.paths) if not changes.truncated

total_paths(changes) := max([changes.count, count(changes.paths)]) if changes.truncated

# METADATA
# scope: document
# description: How many paths changed, the first three of them, and how many more there are.
paths(changes) := sprintf("%d sealed %s: %s%s", [total, noun(total), shown, rest(total - count(first))]) if {
	total := total_paths(changes)
	first := array.slice(changes.paths, 0, 3)
	count(first) > 0
	shown := concat(", ", [name(change.path) | some change in first])
}

paths(changes) := sprintf("%d sealed files, too many to say of each how it differs", [total_paths(changes)]) if {
	count(changes.paths) == 0
}

noun(1) := "file"

noun(total) := "files" if total != 1

rest(more) := "" if more <= 0

rest(more) := sprintf(" and %d more", [more]) if more > 0

# METADATA
# description: How many differences from a seal a scan found, the first three of them, and how many more there are.
differences(found) := sprintf("%d %s: %s%s", [found.count, difference_noun(found.count), shown, more]) if {
	first := array.slice(found.differences, 0, 3)
	shown := concat(", ", [sprintf("%s (%s)", [name(one.path), name(one.change)]) | some one in first])
	more := rest(found.count - count(first))
}

difference_noun(1) := "difference"

difference_noun(total) := "differences" if total != 1

# METADATA
# scope: document
# description: What a session did by opening this channel.
default channel(_) := "opened a channel"

channel(opened) := said[opened.kind]

channel(opened) := sprintf("used the subsystem %s", [name(opened.subsystem)]) if opened.kind == "subsystem"

said := {
	"shell": "opened an interactive shell",
	"shell_no_pty": "opened a shell without a terminal",
	"command_with_pty": "ran a command on a terminal",
	"interactive_command": "ran a command that takes further commands without a terminal",
	"command": "ran a command without a terminal",
	"sftp": "transferred files by sftp",
	"scp": "transferred files by scp",
	"forward": "held a connection without a channel, as for forwarding",
}

# METADATA
# scope: document
# description: The program that changed the user.
default program(_) := "an unknown program"

program(via) := name(via)

# METADATA
# description: How many processes there are, and the first three of their programs.
processes(found) := sprintf("%d %s (%s%s)", [found.count, process_noun(found.count), shown, more]) if {
	first := array.slice(found.processes, 0, 3)
	shown := concat(", ", [program(process.exe) | some process in first])
	more := rest(found.count - count(first))
}

process_noun(1) := "process"

process_noun(total) := "processes" if total != 1

# METADATA
# description: The first three of these hosts by name, and how many more there are.
hosts(names) := sprintf("the immutable %s %s%s", [host_noun(count(names)), shown, rest(count(names) - 3)]) if {
	shown := concat(", ", [name(host) | some host in array.slice(sort(names), 0, 3)])
}

host_noun(1) := "host"

host_noun(total) := "hosts" if total != 1

# METADATA
# description: The first three of these tasks of a play, and how many more there are.
tasks(list) := sprintf("%s%s", [concat(", ", [task(one) | some one in array.slice(list, 0, 3)]), rest(count(list) - 3)])

task(one) := sprintf("%s%s", [action(one), origin(one)])

action(one) := sprintf("a task of %s", [module(one)]) if one.name == ""

action(one) := sprintf("task %s of %s", [name(one.name), module(one)]) if one.name != ""

default module(_) := "an unknown module"

module(one) := name(one.module)

default origin(_) := ""

origin(one) := sprintf(" in role %s", [name(one.role)]) if one.collection == null

origin(one) := sprintf(" in role %s", [name(sprintf("%s.%s", [one.collection, one.role]))]) if {
	is_string(one.collection)
	is_string(one.role)
}

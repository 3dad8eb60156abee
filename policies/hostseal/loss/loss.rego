# METADATA
# title: What a sensor lost
# description: The loss in words, and whether a scan has made up for it.
# schemas:
#   - input: schema.input
package hostseal.loss

import data.hostseal.wording

# METADATA
# description: The site's data says that a loss of this cause breaks the seal.
breaks_seal if {
	input.event.type == "sensor.lost"
	input.event.data.cause in data.hostseal.site.flag_on_loss
}

# METADATA
# description: What was lost sight of was scanned afterwards, and the site's data does not say that this is not enough.
made_up if {
	input.event.type == "sensor.lost"
	input.event.data.rescanned == true
	not breaks_seal
}

# METADATA
# scope: document
# description: The loss, for a person.
sentence := sprintf("The sensor %s lost sight of %s%s: %s; %s.", [
	wording.name(input.event.data.sensor),
	wording.name(input.event.data.scope),
	interval,
	wording.name(input.event.data.cause),
	rescan,
]) if {
	input.event.type == "sensor.lost"
}

interval := concat("", [since, until])

default since := ""

since := sprintf(" from %s", [wording.name(input.event.data.since)])

default until := ""

until := sprintf(" to %s", [wording.name(input.event.data.until)])

default rescan := "what it missed is not known"

rescan := "it was scanned again" if input.event.data.rescanned == true

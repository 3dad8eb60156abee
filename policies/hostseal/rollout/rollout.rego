# METADATA
# title: How far this revision of the policies goes
# description: >
#   A new revision may only observe at first, or act on a part of all hosts, of a size of its own for each action: a
#   fixed part by a hash of their machine ids, so that the same log replays to the same decisions. Whoever connects is
#   suspect, and cleared, at every stage. What data.hostseal.rollout does not say is held back.
# schemas:
#   - input: schema.input
package hostseal.rollout

import data.hostseal.response

# METADATA
# scope: document
# description: This revision may take the action on the host in the input.
acts(action) if action in {"suspect", "lift"}

acts(_) if data.hostseal.rollout.state == "promoted"

acts(action) if {
	data.hostseal.rollout.state == "staged"
	response.bucket(input.event.host.machine_id) < data.hostseal.rollout.stage_percent[action]
}

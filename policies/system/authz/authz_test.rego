package system.authz_test

import data.system.authz

tokens := {"agent": "a-token", "gate": "g-token", "operator": "o-token", "stranger": "s-token"}

local := {"clients": {client: {"token_sha256": crypto.sha256(token)} | some client, token in tokens}}

may(client, asked) if {
	authz.allow with input as object.union(asked, {"identity": tokens[client]}) with data.hostseal_local as local
}

question(path) := {"path": array.concat(["v1", "data"], split(path, "/")), "method": "POST"}

page(path) := {"path": split(path, "/"), "method": "GET"}

test_the_agent_asks_about_events_and_logins if {
	every path in ["hostseal/event/decision", "hostseal/login/decision", "hostseal/host/profile"] {
		may("agent", question(path))
		may("agent", object.union(question(path), {"method": "GET"}))
		not may("operator", question(path))
	}
}

test_the_agent_and_the_operator_ask_which_policy_it_is if {
	may("agent", question("hostseal/release/told"))
	may("operator", question("hostseal/release/told"))
	not may("gate", question("hostseal/release/told"))
}

test_a_gate_asks_about_plays_replacements_and_certificates if {
	every path in ["hostseal/play/decision", "hostseal/replace/decision", "hostseal/break_glass/decision"] {
		may("gate", question(path))
		not may("agent", question(path))
		not may("operator", question(path))
	}
}

test_a_gate_does_not_ask_about_events if {
	not may("gate", question("hostseal/event/decision"))
}

test_the_agent_and_the_operator_read_the_status if {
	may("agent", page("v1/status"))
	may("operator", page("v1/status"))
	not may("gate", page("v1/status"))
	not may("agent", object.union(page("v1/status"), {"method": "POST"}))
}

test_only_the_operator_reads_the_metrics if {
	may("operator", page("metrics"))
	not may("agent", page("metrics"))
	not may("gate", page("metrics"))
}

test_health_is_open if authz.allow with input as page("health")

test_nobody_reads_data_or_policies_or_asks_anything_else if {
	every client, _ in tokens {
		every path in [
			"v1/data", "v1/data/hostseal", "v1/data/hostseal/site", "v1/data/hostseal/site/hosts", "v1/data/hostseal/event",
			"v1/data/hostseal/event/decision/findings", "v1/data/hostseal_local", "v1/policies", "v1/policies/x", "v1/config",
			"v0/data/hostseal/event/decision", "v1/query", "v1/compile", "v1/batch/data/hostseal/event/decision", "",
		] {
			every method in ["GET", "POST"] {
				not may(client, object.union(page(path), {"method": method}))
			}
		}
	}
}

test_nobody_has_a_decision_explained if {
	every how in ["full", "notes", "fails", "debug", ""] {
		every method in ["GET", "POST"] {
			asked := object.union(question("hostseal/event/decision"), {"method": method})
			not may("agent", object.union(asked, {"params": {"explain": [how]}}))
			may("agent", object.union(asked, {"params": {"pretty": ["true"]}}))
		}
	}
}

test_nobody_changes_anything if {
	every client, _ in tokens {
		every method in ["PUT", "PATCH", "DELETE"] {
			not may(client, object.union(question("hostseal/event/decision"), {"method": method}))
			not may(client, {"path": ["v1", "policies", "x"], "method": method})
		}
	}
}

test_a_client_that_is_not_known_here_does_nothing if {
	not may("stranger", question("hostseal/event/decision"))
	not may("stranger", page("v1/status"))
}

test_no_token_and_a_wrong_one_are_denied if {
	asked := question("hostseal/event/decision")
	every wrong in [{}, {"identity": ""}, {"identity": "a-toke"}, {"identity": null}, {"identity": 7}] {
		not authz.allow with input as object.union(asked, wrong) with data.hostseal_local as local
	}
}

test_an_empty_token_is_none if {
	asked := question("hostseal/event/decision")
	empty := {"clients": {"agent": {"token_sha256": crypto.sha256("")}}}
	not authz.allow with input as object.union(asked, {"identity": ""}) with data.hostseal_local as empty
}

test_without_the_hosts_digests_everything_is_denied if {
	asked := object.union(question("hostseal/event/decision"), {"identity": "a-token"})
	not authz.allow with input as asked
	every told in [{}, {"clients": {}}, {"clients": {"agent": {}}}, {"clients": null}, null] {
		not authz.allow with input as asked with data.hostseal_local as told
	}
}

test_no_input_is_denied if {
	not authz.allow with input as {} with data.hostseal_local as local
}

test_an_older_policys_key_gives_nothing_where_there_are_clients if {
	both := object.union(local, {"token_sha256": crypto.sha256("a-token")})
	every asked in [question("hostseal/play/decision"), page("metrics")] {
		not authz.allow with input as object.union(asked, {"identity": "a-token"}) with data.hostseal_local as both
	}
}

test_the_one_token_of_an_older_host_asks_all_that_is_asked_and_no_more if {
	old := {"token_sha256": crypto.sha256("old")}
	every asked in [question("hostseal/event/decision"), question("hostseal/play/decision"), page("metrics")] {
		authz.allow with input as object.union(asked, {"identity": "old"}) with data.hostseal_local as old
	}
	every asked in [question("hostseal/site"), page("v1/policies")] {
		not authz.allow with input as object.union(asked, {"identity": "old"}) with data.hostseal_local as old
	}
}

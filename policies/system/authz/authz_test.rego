package system.authz_test

import data.system.authz

digest := crypto.sha256("s3cret")

allowed(asked) := result if {
	result := authz.allow with input as asked with data.hostseal_local.token_sha256 as digest
}

decision := {"path": ["v1", "data", "hostseal", "event", "decision"], "method": "POST", "identity": "s3cret"}

test_the_token_asks_for_decisions if {
	allowed(decision)
	allowed(object.union(decision, {"method": "GET"}))
}

test_the_token_reads_metrics_and_status if {
	allowed({"path": ["metrics"], "method": "GET", "identity": "s3cret"})
	allowed({"path": ["v1", "status"], "method": "GET", "identity": "s3cret"})
}

test_health_is_open if allowed({"path": ["health"], "method": "GET"})

test_no_token_and_a_wrong_one_are_denied if {
	not allowed(object.remove(decision, ["identity"]))
	not allowed(object.union(decision, {"identity": "secret"}))
	not allowed(object.union(decision, {"identity": ""}))
}

test_the_token_changes_nothing if {
	every method in ["PUT", "PATCH", "DELETE"] {
		not allowed(object.union(decision, {"method": method}))
	}
}

test_the_token_sees_and_changes_nothing_else if {
	not allowed({"path": ["v1", "policies", "x"], "method": "PUT", "identity": "s3cret"})
	not allowed({"path": ["v1", "data", "hostseal_local"], "method": "GET", "identity": "s3cret"})
}

test_without_the_hosts_digest_everything_is_denied if {
	not authz.allow with input as decision with data.hostseal_local as {}
	not authz.allow with input as decision
}

test_no_input_is_denied if not allowed({})

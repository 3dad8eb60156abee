"""The paths of a host from an image that are its own: not the image's, and not a break of its seal."""

from hostseal.core.seal import Personal

MANIFEST = "/etc/hostseal/image.seal"

PERSONAL = (
    Personal(glob=MANIFEST, reason="the seal itself; its signature is checked"),
    Personal(glob="/etc/machine-id", reason="made at the first boot"),
    Personal(glob="/etc/hostname", reason="the host's name"),
    Personal(glob="/etc/hosts", reason="the host's name and address"),
    Personal(glob="/etc/resolv.conf", reason="the network's name servers"),
    Personal(glob="/etc/ssh/ssh_host_*", reason="the host's ssh keys"),
    Personal(glob="/etc/ssh/hostseal_banner", reason="what Hostseal publishes when it flags the host"),
    Personal(
        glob="/etc/ansible/facts.d/hostseal.fact", reason="what Hostseal publishes when it flags the host"
    ),
    Personal(glob="/etc/hostseal/instance.json", reason="which host of the fleet this is"),
    Personal(glob="/etc/hostseal/instance-id", reason="which host of the fleet this is"),
    Personal(
        glob="/etc/ssh/hostseal_revoked",
        reason="the break-glass certificates that were taken back, kept current",
    ),
    Personal(
        glob="/etc/hostseal/enrolment.json", reason="the one-time credential; gone after the first boot"
    ),
    Personal(glob="/etc/hostseal/opa/server.key", reason="the policy engine's key, made at the first boot"),
    Personal(
        glob="/etc/hostseal/opa/server.pem", reason="the policy engine's certificate, made at the first boot"
    ),
    Personal(glob="/etc/hostseal/opa/ca.pem", reason="the host's own authority, made at the first boot"),
    Personal(glob="/etc/hostseal/opa/token", reason="the policy engine's token, made at the first boot"),
    Personal(glob="/etc/hostseal/opa/gate-token", reason="a gate's token, made at the first boot"),
    Personal(glob="/etc/hostseal/opa/operator-token", reason="the operator's token, made at the first boot"),
    Personal(glob="/etc/hostseal/opa/authz.json", reason="the tokens' digests, made at the first boot"),
    Personal(glob="/etc/hostseal/ledger/token", reason="the host's token for the ledger"),
    Personal(glob="/home/*/.ssh", reason="keys of people and of automation, given at creation", owner="any"),
    *(
        Personal(
            glob=f"/home/*/{name}", reason="a person's own; what is laid there is seen live", owner="any"
        )
        for name in (
            ".config/systemd",
            ".local/share/systemd",
            ".*profile",
            ".bash[_r][acl]*",
            ".zsh[er]*",
            ".pam_environment",
        )
    ),
    Personal(glob="/root/.bash_history", reason="what root's shells remember; nothing runs it"),
    Personal(glob="/root/.ansible", reason="Ansible's own temporary files"),
)

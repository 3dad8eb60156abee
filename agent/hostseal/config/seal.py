"""[seal]: the manifest that the agent holds the host to, and the bounds of its scans."""

import msgspec


class SealSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[seal] the image's manifest and the key it must be signed with; how long a scan may take, and how often one is tried.

    `manifest`: empty means that the agent compares with none. `urgent_seconds`: until when a scan after a loss looks at what
    is newest before it goes on in the background. `limit_seconds`: when one in the background is ended, and tried again.
    `maps_seconds`: how often files are looked for that programs hold mapped for writing.
    """

    manifest: str = "/etc/hostseal/image.seal"
    public_key: str = "/etc/hostseal/seal.pub"
    urgent_seconds: float = 60.0
    limit_seconds: float = 1_800.0
    attempts: int = 3
    maps_seconds: float = 300.0

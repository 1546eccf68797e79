"""Why a peer has no time in the table. Each is a line there, never the end of the run."""

from __future__ import annotations


class PeerError(Exception):
    """`status` is what the table and the JSON say."""

    status = "failed"


class Missing(PeerError):
    """Not installed here."""

    status = "missing"


class Refused(PeerError):
    """The peer cannot take this case."""

    status = "refused"


class Differs(PeerError):
    """The peer's result is not ours."""

    status = "differs"


class Failed(PeerError):
    """It broke down."""

"""What the ledger, an exit or the pool of candidates does not allow; the message says why, and the way out."""

from __future__ import annotations


class RelationError(Exception):
    """Refused: the message names the thing and the way out."""

"""The past of a hub: `history` is its contract and its questions; each kind of hub answers in its own ``history``."""

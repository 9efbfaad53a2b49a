"""Commands that are killed, that run together, or whose files vanish: what they leave is whole, and a rerun ends it."""

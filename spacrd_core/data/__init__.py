"""Tables that SpaCRD ships, and how they are made."""

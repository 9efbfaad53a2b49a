"""What is checked before a file is read: its kind, how far it expands, how deep it nests, what it declares."""

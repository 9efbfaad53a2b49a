"""Damaged and hostile files for every reader: what is not read is refused with a sentence, in bounded time and memory."""

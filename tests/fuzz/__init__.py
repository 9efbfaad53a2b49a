"""Damaged and hostile files for every reader: each is read, or refused with a sentence, in bounded time and memory."""

"""Write the snapshot of all messages."""

from messages import SNAPSHOT, snapshot

SNAPSHOT.write_text(snapshot(), encoding="utf-8")

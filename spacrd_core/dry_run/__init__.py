"""What a command would do, before it does it: sections, disk space and time. Nothing here writes."""

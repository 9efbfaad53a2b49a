"""Say that memory was short as what it is: what needed how much, and what can be done."""

from __future__ import annotations

from spacrd_core.errors import WorkerError

NOT_ENOUGH = (
    "use a machine with more memory, or fewer --workers; if so much is out of proportion to the data, a file is "
    "damaged: copy it again"
)


def out_of_memory(error: MemoryError) -> WorkerError:
    """Return the error for a user whose memory was not enough."""
    return WorkerError(f"there is not enough memory: {str(error) or 'an allocation failed'}", hint=NOT_ENOUGH)

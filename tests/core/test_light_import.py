"""The functions for notebooks are imported without PyTorch where they can be."""

import subprocess
import sys

PROBE = """
import sys
from spacrd_core import Settings, SpotStore, embed, ingest
print(*{"torch", "timm", "sklearn", "matplotlib"} & {*sys.modules})
"""


def test_ingest_and_embed_load_no_torch_until_they_are_called() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"

"""Array types for annotations that give no shape."""

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
UInt8Array: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

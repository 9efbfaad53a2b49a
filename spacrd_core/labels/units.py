"""Recognise labels of other bins or cells of the same capture area, as Space Ranger names them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacrd_core.section.section import Section

BIN, CELL = re.compile(r"s_(\d+)um_\d+_\d+(-\d+)?"), re.compile(r"cellid_\d+(-\d+)?")


def unit_hint(label_id: str, section: Section) -> str:
    """Return the options that read a section in the unit of a label's id; '' if none is known."""
    sub_spots = section.sub_spots
    own_id = sub_spots.ids[0].decode(errors="replace") if sub_spots and len(sub_spots.ids) else ""
    own_bin, label_bin = BIN.fullmatch(own_id), BIN.fullmatch(label_id)
    is_hd = bool(own_bin) or bool(CELL.fullmatch(own_id))
    if is_hd and own_bin and CELL.fullmatch(label_id):
        return "these are labels of segmented cells: ingest with --set reader.unit=cell"
    if not is_hd or not label_bin or (own_bin and own_bin[1] == label_bin[1]):
        return ""
    return f"these are labels of {int(label_bin[1])} um bins: ingest with {_bin_options(int(label_bin[1]), section)}"


def _bin_options(bin_um: int, section: Section) -> str:
    """Return the options for a size of bins, with the next size of spots that is a multiple of it."""
    spot_um = math.ceil(section.spot_um / bin_um) * bin_um if bin_um else section.spot_um
    larger = f" --set reader.spot_um={spot_um}" if spot_um != section.spot_um else ""
    return f"--set reader.bin_um={bin_um}{larger}"

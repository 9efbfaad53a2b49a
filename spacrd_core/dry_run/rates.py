"""Sizes and speeds that were measured, and from which plans are estimated.

Of eight sections of her2st with H&E and a Visium section of 3,106 spots. Times are processor time of one core; a plan
says so. Expect errors of a factor of two, and more where the data differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spacrd_core.dry_run.plan import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.model.calibrated_ensemble import TrainOptions

MEASURED: Final = "speeds measured on one CPU core"

# bytes in a store
COUNT, GENE = 1.9, 12.0  # a count that is not zero; a gene
THUMBNAIL = 1_100_000  # the picture of a section with an image
SLIDE_AS_FILE = 1.8  # a JPEG that stays one: the pyramid against the file
SLIDE_PIXEL = {"JPEG": 0.5, "lossless": 1.6}  # a px of the finest level, with the coarser ones
FLOAT = 4.0  # an entry of an embedding; they compress little
CALLS, CALL = 50_000, 40.0  # the spot table of a section, and a spot of it

# bytes of files
REPORT, REPORT_SPOT = 600_000, 270.0  # report.html: 1.4 MB for 5,041 spots, most of it the picture
SPOT_IN_FILE = {"csv": 105.0, "geojson": 650.0, "loupe": 30.0, "xenium": 30.0, "h5ad": 250.0, "spatialdata": 250.0}
PICTURE = 2_500_000  # the H&E behind the spots
FILE = {"png": 500_000, "profile": 100_000, "seg": 5_000, "genes": 20_000, "h5ad": 600_000, "spatialdata": 600_000}
DETECTOR_MEMBER = 1_000_000  # weights and axes of an ensemble's member
DETECTOR_FILES = 400_000  # configuration, metrics, card and curves

# seconds
SLIDE_MEGAPIXEL = 0.055  # read, reduced and compressed
READ_PATCH = 0.0006  # cut and resampled, at a pitch of 200 um
CALL_SECTION, CALL_SPOT = 0.8, 0.0004
WRITE_SECTION, WRITE_SPOT = 1.0, 0.0006  # all files
EXPORT_SECTION = 0.5
# one training of one member, a training spot and modality
MEMBER_SPOT = {("spacrd", "default"): 0.00095, ("linear", ""): 0.0002}
TRAINED_SECTION = 1.1  # what a section says of itself


def training_time(options: Sequence[tuple[TrainOptions, float]], sections: int) -> Duration:
    """Return the time of trainings: of options, and the training spots of all their trainings times modalities."""
    total = sections * TRAINED_SECTION
    for each, spots in options:
        head = each.head
        preset = str(head.options.get("preset", "default" if head.name == "spacrd" else ""))
        speed = MEMBER_SPOT.get((head.name, preset))
        if speed is None or head.epochs or set(head.options) - {"preset"}:
            label = head.label or f"{head.name}{f', preset {preset}' if preset else ''}"
            return Duration(None, f"trainings of the head '{label}' with these options were not measured")
        total += speed * spots * each.seeds
    return Duration(total, MEASURED)

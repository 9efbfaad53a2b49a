"""What copy number says of a section, with the thresholds of its verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

TABLE_KEY = "copy_number"  # in a spot table's attrs

Verdict = Literal["supported", "unclear", "no evidence", "unknown"]

# Z of carcinomas with their tumour-like tissue 11 to 31, of a melanoma 27; of four fetal hearts at most 0.7, and 2.6
# for any of 28 other contrasts in them; of shuffled gene positions -2.4 to 1.4 (docs/copy_number.md).
SUPPORTED, UNCLEAR = 7.0, 3.0
MANY_CALLED = 0.25  # share of spots called cancer that copy number should support
MIN_GENES = 300
MIN_ARMS = 5  # fewer arms do not tell how much arms differ by chance


@dataclass(frozen=True)
class ArmChange:
    """One chromosome arm.

    Attributes
    ----------
    arm
        For example ``8q``.
    genes
        The number of genes measured well enough.
    log2_ratio, error
        Mean log2 ratio of tumour-like tissue over the rest relative to the genome, and its standard error over spots.
    changed
        Whether the arm counts as gained or lost; only in a section whose verdict is ``supported``.
    """

    arm: str
    genes: int
    log2_ratio: float
    error: float
    changed: bool

    @property
    def change(self) -> str:
        """``gain`` or ``loss``."""
        return "gain" if self.log2_ratio > 0 else "loss"

    @property
    def short_name(self) -> str:
        """The arm with its sign, for example ``8q+``."""
        return f"{self.arm}{'+' if self.log2_ratio > 0 else '-'}"


@dataclass(frozen=True)
class Segment:
    """A run of neighbouring genes within an arm; first and last base are positions in GRCh38."""

    arm: str
    start: int
    end: int
    genes: int
    log2_ratio: float

    @property
    def chromosome(self) -> str:
        """The chromosome, as genome viewers name it: ``chr8``."""
        return f"chr{self.arm[:-1]}"


@dataclass(frozen=True)
class CopyNumber:
    """Whether gains and losses of chromosome arms coincide with a section's tumour-like tissue.

    Attributes
    ----------
    z
        How far arms, and runs of genes within arms, deviate together, in standard deviations of the same with genes at
        random places: the smaller of the two. NaN if unknown.
    genes
        The number of genes measured well enough.
    unknown_reason
        Why it is unknown; '' if it is known.
    arms, segments
        The profile along the genome; empty if unknown.
    detector_z
        The same as ``z`` for the tissue that the detector finds, if it disagrees with the gene lists; NaN otherwise.
    """

    z: float = np.nan
    genes: int = 0
    unknown_reason: str = ""
    arms: tuple[ArmChange, ...] = ()
    segments: tuple[Segment, ...] = ()
    detector_z: float = np.nan

    @property
    def verdict(self) -> Verdict:
        """What Z says; no evidence is never evidence of normal tissue."""
        return _verdict(self.z)

    @property
    def changed_arms(self) -> tuple[ArmChange, ...]:
        """The arms that count as gained or lost, along the genome."""
        return tuple(arm for arm in self.arms if arm.changed)

    @property
    def summary(self) -> str:
        """The verdict in a few words, with Z or the reason why it is unknown."""
        if self.verdict == "unknown":
            return f"unknown: {self.unknown_reason}" if self.unknown_reason else "unknown"
        return f"{self.verdict} (Z {self.z:.1f})"

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        if self.verdict == "supported":
            arms = ", ".join(arm.short_name for arm in self.changed_arms) or "no single arm stands out"
            return f"gains and losses of chromosome arms coincide with the tumour-like tissue (Z {self.z:.1f}: {arms})"
        if self.verdict == "unclear":
            return f"weak signs that gains and losses of arms coincide with the tumour-like tissue (Z {self.z:.1f})"
        if self.verdict == "no evidence":
            return (
                f"no sign of gained or lost chromosome arms in the tumour-like tissue (Z {self.z:.1f}); this does not "
                "exclude tumour"
            )
        return self.summary

    def cautions(self, cancer_share: float, *, no_epithelium: bool = False) -> list[str]:
        """Return sentences to read before relying on calls, of which this share is cancer."""
        cautions = []
        if np.isfinite([self.z, self.detector_z]).all():
            cautions.append(self._about_disagreement())
        if no_epithelium and self.verdict == "supported":
            cautions.append(
                "nothing is called, but gains and losses of chromosome arms coincide with part of the tissue "
                f"(Z {self.z:.1f}): is this a tumour other than carcinoma?"
            )
        detector_supported = _verdict(self.detector_z) == "supported"
        if self.verdict == "no evidence" and not detector_supported and cancer_share > MANY_CALLED:
            cautions.append(
                f"{cancer_share:.0%} of the spots are called cancer, but there is no copy-number evidence "
                f"(Z {self.z:.1f}): look for normal epithelium"
            )
        return cautions

    def _about_disagreement(self) -> str:
        """What copy number says of the tissue that the gene lists find, and of the tissue that the detector finds."""
        supported = _verdict(self.z) == "supported", _verdict(self.detector_z) == "supported"
        finding = {
            (True, True): "supports both the tissue that the gene lists find and the tissue that the detector finds",
            (True, False): "supports the tissue that the gene lists find, not the tissue that the detector finds",
            (False, True): "supports the tissue that the detector finds, not the tissue that the gene lists find",
            (
                False,
                False,
            ): "supports neither the tissue that the gene lists find nor the tissue that the detector finds",
        }[supported]
        return f"copy number {finding} (Z {self.z:.1f} and {self.detector_z:.1f})"

    def to_dict(self) -> dict[str, Any]:
        """Return Z (None if unknown), the verdict, and the changed arms with their sizes, as JSON-compatible values."""
        return {
            "z": round(self.z, 2) if np.isfinite(self.z) else None,
            "verdict": self.verdict,
            "arms": [
                {"arm": arm.arm, "change": arm.change, "log2_ratio": round(arm.log2_ratio, 3), "genes": arm.genes}
                for arm in self.changed_arms
            ],
        }

    def attach(self, table: pd.DataFrame) -> None:
        """Store the result in a spot table; the store keeps it with the table."""
        unknown = {name: None for name in ("z", "detector_z") if not np.isfinite(getattr(self, name))}
        table.attrs[TABLE_KEY] = asdict(self) | unknown

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> CopyNumber:
        """Return the result stored in a spot table; an unknown one if it has none."""
        stored = dict(table.attrs.get(TABLE_KEY, {"unknown_reason": "the section was called by an earlier version"}))
        known = {name: value for name, value in stored.items() if value is not None}
        known["arms"] = tuple(ArmChange(**arm) for arm in stored.get("arms", ()))
        known["segments"] = tuple(Segment(**segment) for segment in stored.get("segments", ()))
        return cls(**known)


def _verdict(z: float) -> Verdict:
    if not np.isfinite(z):
        return "unknown"
    return "supported" if z >= SUPPORTED else "unclear" if z >= UNCLEAR else "no evidence"

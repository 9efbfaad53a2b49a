"""What was found about a section while it was called, and the cautions that follow."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from spacrd_core.prior.agreement import MIN_AGREEMENT, disagrees

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.model.reading import Reading

TABLE_KEY = "findings"  # in a spot table's attrs


@dataclass(frozen=True)
class Findings:
    """Facts about a section that decide how far its calls can be trusted; they are stored with its spot table.

    Attributes
    ----------
    modalities
        What the section was called by.
    trained
        Whether labelled sections trained the detector.
    agreement
        With what the section says of itself, by modality; empty if that is not used.
    epithelium, epithelial_genes
        Whether the section has epithelium (present, none, unknown; '' if that is not used), and how many of the genes
        that tell are measured of how many.
    amount_unknown
        Whether nothing tells how much of the section is tumour.
    unstructured
        The modalities in which spots are unlike their neighbours, so that they show no tissue and are not used.
    """

    modalities: str = ""
    trained: bool = True
    agreement: dict[str, float] = field(default_factory=dict)
    epithelium: str = ""
    epithelial_genes: tuple[int, int] = (0, 0)
    amount_unknown: bool = False
    unstructured: tuple[str, ...] = ()

    @classmethod
    def of(cls, reading: Reading) -> Findings:
        """Return what was found about a section while it was read."""
        evidence = reading.evidence
        has_expression = evidence is not None and evidence.epithelium.listed > 0
        return cls(
            modalities=reading.modalities,
            trained=reading.trained,
            agreement={name: round(value, 4) for name, value in reading.agreement.items()},
            epithelium=evidence.epithelium.answer if evidence and has_expression else "",
            epithelial_genes=(evidence.epithelium.measured, evidence.epithelium.listed) if evidence else (0, 0),
            amount_unknown=reading.amount_unknown,
            unstructured=_unstructured(reading),
        )

    @property
    def disagrees(self) -> bool:
        """Whether the detector disagrees with what the section says of itself."""
        return disagrees(self.agreement)

    @property
    def makes_no_call(self) -> bool:
        """Whether every label is uncertain.

        A detector of carcinoma makes no call without epithelium; nor does one that reads genes alone, or the built-in
        one, if it is not known whether there is any. The built-in detector makes none either if nothing tells how much
        of the section is tumour.
        """
        if self.epithelium == "unknown" and (self.modalities == "genes" or not self.trained):
            return True
        return self.epithelium == "none" or (not self.trained and self.amount_unknown)

    @property
    def no_regions_reason(self) -> str:
        """Why no regions are drawn unless they are asked for, in a few words; '' if they are."""
        if self.epithelium == "none":
            return "no epithelium found"
        if self.epithelium == "unknown":
            return "epithelium not known"
        if self.disagrees:
            return "detector and prior disagree"
        return "amount of tumour not known" if self.makes_no_call else ""

    @property
    def cautions(self) -> list[str]:
        """Sentences to read before relying on the calls, the most serious first."""
        return [*self._about_epithelium(), *self._about_agreement(), *self._about_amount(), *self._about_structure()]

    def attach(self, table: pd.DataFrame) -> None:
        """Store the findings in a spot table."""
        table.attrs[TABLE_KEY] = asdict(self) | {
            "epithelial_genes": list(self.epithelial_genes),
            "unstructured": list(self.unstructured),
        }

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> Findings:
        """Return the findings stored in a spot table; empty ones if it has none."""
        stored = dict(table.attrs.get(TABLE_KEY, {}))
        pairs = {name: tuple(stored[name]) for name in ("epithelial_genes", "unstructured") if name in stored}
        return cls(**(stored | pairs))

    def _about_epithelium(self) -> list[str]:
        measured, listed = self.epithelial_genes
        if self.epithelium == "none":
            return ["no epithelium was found, so nothing is called: the gene lists are for carcinoma only"]
        if self.epithelium != "unknown":
            return []
        consequence = "nothing is called" if self.makes_no_call else "do not rely on these calls if it may have none"
        genes = f"too few of the genes that tell are measured; of the epithelial ones, {measured} of {listed}"
        return [f"it is not known whether the section has epithelium ({genes}): {consequence}"]

    def _about_agreement(self) -> list[str]:
        if not self.disagrees:
            return []
        low = ", ".join(f"{name} {value:.2f}" for name, value in self.agreement.items() if value < MIN_AGREEMENT)
        return [f"detector and prior disagree (agreement by {low}): another tissue or staining?"]

    def _about_amount(self) -> list[str]:
        if not self.amount_unknown or self.epithelium in {"none", "unknown"}:
            return []
        consequence = "calls assume about half" if self.trained else "spots are ranked, but not called"
        return [f"how much of the section is tumour is not known: {consequence}"]

    def _about_structure(self) -> list[str]:
        return [f"{name}: spots are unlike their neighbours, so that they were not used" for name in self.unstructured]


def _unstructured(reading: Reading) -> tuple[str, ...]:
    evidence = reading.evidence
    if evidence is None or evidence.genes is None or evidence.image is None or reading.modalities == "image+genes":
        return ()
    return tuple(name for name in ("genes", "image") if name != reading.modalities)

"""What copy number may say of a section: a small profile with one gained and one lost arm, and verdicts without one."""

from spacrd_core.copy_number.result import ArmChange, CopyNumber, Segment

RUNS = (
    Segment("1p", 1_000_000, 60_000_000, 110, 0.02),
    Segment("1p", 60_500_000, 120_000_000, 95, -0.04),
    Segment("8q", 47_000_000, 100_000_000, 101, 0.5),
    Segment("8q", 101_000_000, 145_000_000, 99, 0.4),
    Segment("16q", 47_000_000, 90_000_000, 120, -0.31234567),
)
ARMS = (
    ArmChange("1p", 205, -0.008, 0.01, changed=False),
    ArmChange("8q", 200, 0.45123, 0.02, changed=True),
    ArmChange("16q", 120, -0.31234567, 0.03, changed=True),
)
SUPPORTED = CopyNumber(z=12.345, genes=525, arms=ARMS, segments=RUNS)
NO_EVIDENCE = CopyNumber(
    z=-0.62,
    genes=525,
    arms=tuple(ArmChange(arm.arm, arm.genes, 0.01, 0.02, changed=False) for arm in ARMS),
    segments=RUNS,
)
UNKNOWN = CopyNumber(
    genes=120, unknown_reason="genes with enough counts: 120 on 2 chromosome arms; 300 on 5 are needed"
)

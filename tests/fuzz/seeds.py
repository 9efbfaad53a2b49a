"""Small whole files of every kind that SpaCRD reads, and how each is read."""

from fuzz.command_seeds import COMMANDS
from fuzz.image_seeds import IMAGES
from fuzz.label_seeds import LABELS
from fuzz.section_seeds import SECTIONS
from fuzz.seed import Seed
from fuzz.settings_seeds import SETTINGS
from fuzz.store_seeds import STORES

SEEDS: tuple[Seed, ...] = (*SECTIONS, *IMAGES, *LABELS, *SETTINGS, *STORES, *COMMANDS)

"""Records of a detector: those of earlier versions keep their form, and with it the key of the detector."""

from spacrd_core.detector.records import TrainingSection

FACTS = {"id": "S1", "patient": "P1", "platform": "st", "identity": "one", "label_source": "labels.csv"}


def test_a_training_section_without_checksums_is_written_as_it_was_read() -> None:
    assert TrainingSection.model_validate(FACTS).model_dump(mode="json") == FACTS


def test_checksums_of_a_training_section_are_written() -> None:
    facts = {**FACTS, "content": ["counts:1"]}
    assert TrainingSection.model_validate(facts).model_dump(mode="json") == facts

"""The parts of the table in tests/worked_examples.py."""

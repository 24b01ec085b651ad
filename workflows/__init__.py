"""WHEN: deterministic Temporal code, one workflow a file. Everything that leaves goes through ``governed_action``."""

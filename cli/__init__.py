"""SAY: the `steward` command."""

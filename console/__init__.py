"""SEE: the operator's web console."""

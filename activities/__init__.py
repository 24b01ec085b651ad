"""STEP: one effect a method. Activities turn one input model into one output model through injected ports."""

"""The search attributes of Steward's workflows."""

SEARCH_ATTRIBUTES = {
    "StewardKind": "Keyword",
    "StewardStage": "Keyword",
    "StewardSupplier": "Keyword",
    "StewardIntent": "Keyword",
    "StewardWaiting": "Bool",
}
"""Name and type. No personal data may go into any of them."""

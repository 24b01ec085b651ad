"""Search attributes: how runs are found in the Web UI. No personal data."""

from temporalio.common import SearchAttributeKey

KIND = SearchAttributeKey.for_keyword("StewardKind")
STAGE = SearchAttributeKey.for_keyword("StewardStage")
SUPPLIER = SearchAttributeKey.for_keyword("StewardSupplier")
INTENT = SearchAttributeKey.for_keyword("StewardIntent")
WAITING = SearchAttributeKey.for_bool("StewardWaiting")

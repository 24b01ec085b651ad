"""Many days of the demo shop on the real workflows, in virtual time: ``steward simulate``."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Before numpy is imported: two arms share two cores, and threads that wait for each other cost more than they do."""

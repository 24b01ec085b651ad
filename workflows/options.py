"""Every timeout, retry policy and queue in one place.

A dead worker is noticed after ``HEARTBEAT`` (activities beat once a second); ``STEP`` bounds one attempt. Of Steward's
own errors only Retryable is repeated: the activity interceptor raises the others as non-retryable. An error nobody
foresaw is repeated too, since mended code lets the run go on; the operator is told of it at the fifth attempt.
"""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

ORCHESTRATION = "orchestration"
MODEL_CALLS = "model-calls"
CONNECTORS = "connectors"

HEARTBEAT = timedelta(seconds=5)
STICKY = timedelta(seconds=2)  # how long a task waits for the worker that knows the run, before any other may take it
TASK = timedelta(seconds=5)  # one workflow task; a worker that died with one is noticed after this


class StepOptions(TypedDict):
    task_queue: str
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


def _step(queue: str, seconds: float, attempts: int) -> StepOptions:
    return StepOptions(
        task_queue=queue,
        start_to_close_timeout=timedelta(seconds=seconds),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(milliseconds=500),
            backoff_coefficient=2,
            maximum_interval=timedelta(minutes=2),
            maximum_attempts=attempts,
        ),
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


RECORD = _step(ORCHESTRATION, 30, 0)  # our own database: wait for it as long as it takes
THINK = _step(MODEL_CALLS, 180, 15)  # planning and model calls; local engines take over when a model stays away
EFFECT = _step(CONNECTORS, 60, 15)  # one outside effect; a quarter of an hour of outage is waited out
READ = _step(CONNECTORS, 300, 0)  # what is new in an outside system; an outage of it is not a failure of the step
RECONCILE = _step(CONNECTORS, 60, 12)  # asking what became of one: longer, it must not be given up early
NOTIFY = _step(CONNECTORS, 90, 4)  # a message to the operator: what does not get through soon is an alert
KEEP = _step(ORCHESTRATION, 1_800, 8)  # upkeep of memory: the whole log is read
SUM_UP = _step(MODEL_CALLS, 1_800, 8)  # a night's summaries; what is written stays written
REST = _step(ORCHESTRATION, 30, 8)  # waiting for another run to come to rest

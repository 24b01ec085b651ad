#!/bin/sh
# Makes the namespace unless it is there. Finished runs are kept for 90 days; the event log keeps what they did for ever.
set -eu

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 90d

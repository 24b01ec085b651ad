# The worker, the console and the `steward` command: one image. The servers are images of their own
# (docker-compose.yml), so the embedded ones are not in it.

FROM python:3.12.12-slim-bookworm AS build
WORKDIR /build
COPY requirements-image.lock .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r requirements-image.lock

FROM python:3.12.12-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STEWARD_HOME=/var/lib/steward \
    STEWARD_READY_FILE=/tmp/steward-ready
RUN useradd --system --uid 10001 --home-dir "$STEWARD_HOME" --create-home steward
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
RUN python -m compileall -q /app
USER steward
VOLUME ["/var/lib/steward"]
STOPSIGNAL SIGTERM
# The worker writes the file when it polls its queues.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD test -f "$STEWARD_READY_FILE"
CMD ["python", "worker.py", "run"]

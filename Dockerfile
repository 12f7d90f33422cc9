# One image for every process of the desk; what it runs as is the command: customs web, customs worker, ...
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements.lock requirements-dev.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-dev.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY customs customs
COPY workers workers
COPY migrations migrations
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock /tmp/requirements.lock
RUN pip install --require-hashes -r /tmp/requirements.lock
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-deps --no-index /tmp/wheels/*.whl

# A new volume takes over the owner of the folder it covers. By number, so that a cluster sees that it is not root.
RUN install --directory --mode 700 --owner 10001 --group 10001 /keys /state
USER 10001:10001
WORKDIR /state
ENV CUSTOMS_HOME=/state

# It is given up on after 45 s: requests and calls in flight have 30.
STOPSIGNAL SIGTERM
CMD ["customs", "web", "--host", "0.0.0.0"]

# One image for every process of the desk; what it runs as is the command: customs web, customs worker, ...
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /desk

COPY requirements.lock .
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md ./
COPY customs customs
COPY workers workers
COPY migrations migrations
RUN pip install --no-deps --no-build-isolation .

# A new volume takes over the owner of the folder it covers.
RUN useradd --system --no-create-home customs && install --directory --mode 700 --owner customs /keys /state
USER customs
ENV CUSTOMS_HOME=/state

CMD ["customs", "web", "--host", "0.0.0.0"]

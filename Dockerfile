# The same program, for those who would rather not install Python. Built from the lock of what runs: nothing that only
# tests or measures it is in here. The base is named by version; its digest could not be looked up where this was made:
# `docker buildx imagetools inspect python:3.13-slim` tells it, and it goes behind the tag as `@sha256:...`.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/consent-ledger
WORKDIR /src
COPY requirements.lock ./
RUN /opt/consent-ledger/bin/pip install --require-hashes -r requirements.lock
COPY . .
RUN /opt/consent-ledger/bin/pip install --no-deps .

FROM python:3.13-slim
ARG UID=1000
ARG GID=1000
# The named volume takes over the owner of /data.
RUN groupadd --gid "$GID" ledger \
 && useradd --uid "$UID" --gid "$GID" --no-create-home --home-dir /data ledger \
 && install -d -o ledger -g ledger -m 0700 /data \
 && install -d -o ledger -g ledger /in /out
COPY --from=build /opt/consent-ledger /opt/consent-ledger
ENV PATH=/opt/consent-ledger/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER ledger
# The ledger is ./consent-ledger, so it lies in the volume.
WORKDIR /data
VOLUME /data
ENTRYPOINT ["consent-ledger"]
CMD ["--help"]

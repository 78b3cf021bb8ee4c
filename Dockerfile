# One image for the four services: `docker run IMAGE police_dispatch.main`. The roles are arguments of the same command.
# Nothing of the embedded pair is in it (docs/adr/0005-embedded-pair.md): a service in a container has real servers.

ARG PYTHON_IMAGE=python:3.13-slim
# `sha256:…` of that tag. Given, the build is repeatable; left out, it takes the newest fixes of the tag.
ARG PYTHON_DIGEST=

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/qorgau
WORKDIR /src
# The locked packages come first: they change seldom, and the layer is kept while only our code changes.
COPY deploy/image/requirements.lock deploy/image/requirements.lock
RUN /opt/qorgau/bin/pip install --require-hashes -r deploy/image/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY deploy/embedded/kafka-jars.txt deploy/embedded/kafka-jars.txt
COPY policies policies
COPY shared shared
COPY services services
RUN /opt/qorgau/bin/pip install --no-deps --no-build-isolation . && \
    /opt/qorgau/bin/pip uninstall --yes hatchling pip

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}}
LABEL org.opencontainers.image.title="qorgau" \
      org.opencontainers.image.description="Flags at once who is late on a domestic-violence report, on what, by how much" \
      org.opencontainers.image.licenses="EUPL-1.2"
# A number, so that an orchestrator can see that it is not root; no home, no shell.
RUN groupadd --system --gid 10001 qorgau && \
    useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin qorgau
COPY --from=build /opt/qorgau /opt/qorgau
ENV PATH=/opt/qorgau/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 QORGAU_HOST=0.0.0.0 QORGAU_PORT=8000
USER 10001:10001
EXPOSE 8000
# Python and not curl: the slim image has no other client. Any answer but 2xx raises, and so does none within the time.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['QORGAU_PORT'] + '/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m"]
CMD ["intake.main"]

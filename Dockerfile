# The bridge with its extras, as a user without rights. docs/containers.md tells how it is run.
# The tags follow patch releases of Python and Debian: build again, with --pull, to have them.
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements.lock ./
RUN python3 -m venv /opt/wcpay-bridge
RUN /opt/wcpay-bridge/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY setup.cfg pyproject.toml MANIFEST.in README.md LICENSE CHANGELOG.md ./
COPY bridge bridge
COPY schemas schemas
RUN /opt/wcpay-bridge/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .
RUN /opt/wcpay-bridge/bin/python -m pip check
RUN mkdir -p /data/.local/share/wcpay-bridge

FROM python:3.13-slim
COPY --from=build /opt/wcpay-bridge /opt/wcpay-bridge
COPY --from=build --chown=10001:10001 /data /data
RUN echo 'bridge:x:10001:10001::/data:/usr/sbin/nologin' >> /etc/passwd
USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s \
  CMD ["/opt/wcpay-bridge/bin/python", "-c", "import http.client, sys; connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=5); connection.request('GET', '/bridge/v1/health/ready'); sys.exit(connection.getresponse().status != 200)"]
ENTRYPOINT ["/opt/wcpay-bridge/bin/wcpay-bridge"]
CMD ["serve", "--bind", "0.0.0.0:8080"]

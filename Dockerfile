# The image in which answers run where bubblewrap can't be had: docker build --tag dgm-coursekit .
FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /src/
COPY coursekit /src/coursekit
RUN pip install --no-cache-dir /src && rm -r /src

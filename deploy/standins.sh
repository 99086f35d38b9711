#!/usr/bin/env bash
# Makes local stand-ins for the images that docker-compose.yml names, from Debian's packages and the
# nats-server of .venv, where no image registry answers. They carry the upstream names and are for tests only:
# nothing else in the project depends on them. Needs root, debootstrap and a running Docker engine.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOCKER_BUILDKIT=0

image_of() { sed -n "s|^ *image: \($1:.*\)|\1|p" docker-compose.yml; }
has() { docker image inspect "$1" >/dev/null 2>&1; }

python=$(sed -n 's/^ARG BASE=//p' deploy/Dockerfile)
if ! has "$python"; then
  debootstrap --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates bookworm "$work/root" >/dev/null
  tar -C "$work/root" --exclude=./proc --exclude=./sys --exclude=./dev '--exclude=*.deb' -c . \
    | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' - standin-base
  mkdir "$work/python" && cp /etc/ssl/certs/ca-certificates.crt "$work/python/"
  docker build -q -t "$python" -f - "$work/python" <<'DOCKERFILE'
FROM standin-base
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \
 && ln -sf /usr/bin/python3 /usr/local/bin/python && ln -sf /usr/bin/pip3 /usr/local/bin/pip
DOCKERFILE
fi

nats=$(image_of nats)
if ! has "$nats"; then
  mkdir "$work/nats" && cp -L .venv/bin/nats-server "$work/nats/"
  docker build -q -t "$nats" -f - "$work/nats" <<DOCKERFILE
FROM $python AS tools
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq busybox-static
FROM scratch
COPY --from=tools /bin/busybox /bin/busybox
COPY --from=tools /bin/busybox /bin/sh
COPY --from=tools /bin/busybox /bin/nc
COPY --from=tools /bin/busybox /bin/grep
COPY nats-server /bin/nats-server
ENV PATH=/bin
ENTRYPOINT ["nats-server"]
DOCKERFILE
fi

postgres=$(image_of postgres)
if ! has "$postgres"; then
  mkdir "$work/postgres"
  cat >"$work/postgres/start" <<'START'
#!/bin/sh
set -e
export PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
data=/var/lib/postgresql/data
chown postgres "$data"
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -s "$data/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/password && chown postgres /tmp/password
  as initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 >/dev/null
  rm /tmp/password
  echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
  printf '%s\n' "CREATE DATABASE $POSTGRES_DB;" | as postgres --single -D "$data" postgres >/dev/null
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$data" -c 'listen_addresses=*' -c unix_socket_directories=/tmp
START
  chmod +x "$work/postgres/start"
  docker build -q -t "$postgres" -f - "$work/postgres" <<DOCKERFILE
FROM $python
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql \
 && ln -s /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin/
COPY start /usr/local/bin/start
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["start"]
DOCKERFILE
fi

monitor() { # image, Debian's package, program, folder of its data, arguments
  has "$1" && return
  docker build -q -t "$1" - <<DOCKERFILE
FROM $python
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2 \
 && rm -rf /etc/$3 && install -d -o 65534 $4
USER 65534
VOLUME $4
ENTRYPOINT ["$2", "--config.file=/etc/$3/$3.yml", "$5=$4"]
DOCKERFILE
}
monitor "$(image_of prom/prometheus)" prometheus prometheus /prometheus --storage.tsdb.path
monitor "$(image_of prom/alertmanager)" prometheus-alertmanager alertmanager /alertmanager --storage.path

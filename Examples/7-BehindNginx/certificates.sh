#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes certificates for nginx and for two clients in a folder, and puts nginx.conf beside them.
set -euo pipefail
mkdir -p "$1"
cp "$(dirname "${BASH_SOURCE[0]}")/nginx.conf" "$1"
cd "$1"

make() { # NAME EXTENSION ISSUER
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 -subj "/CN=$1" \
        -addext "$2" ${3:+-CA "$3.pem" -CAkey "$3.key"} -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

make ca basicConstraints=critical,CA:TRUE
make server subjectAltName=DNS:localhost ca
make client extendedKeyUsage=clientAuth ca
make stranger extendedKeyUsage=clientAuth ca

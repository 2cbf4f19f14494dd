#!/usr/bin/env bash
# Makes the certificates of the tests: an authority, and servers of every kind. Their keys are nobody's secret.
set -euo pipefail
cd "$(dirname "$0")"
days=36500
new() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=authority of the tests" \
    -days $days -keyout ca.key -out ca.pem -addext "basicConstraints=critical,CA:TRUE" 2>/dev/null
issue() { # name, alternative names, further arguments
    new "$1"
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$2" >ext
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext -out "$1.pem" "${@:3}" 2>/dev/null
}
issue good "DNS:pbx.test,DNS:localhost,IP:127.0.0.1" -days $days
issue domain "URI:sip:pbx.test,DNS:other.test" -days $days
issue target "DNS:sip1.provider.test,DNS:*.test" -days $days
# Its time was a day of the year 2020.
new expired
printf 'subjectAltName=DNS:pbx.test\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' >ext
: >index && echo 01 >serial
openssl ca -batch -notext -md sha256 -cert ca.pem -keyfile ca.key -in expired.csr -out expired.pem -extfile ext \
    -startdate 20200101000000Z -enddate 20200102000000Z -outdir . \
    -config <(printf '[ca]\ndefault_ca=a\n[a]\ndatabase=index\nserial=serial\npolicy=p\n[p]\ncommonName=supplied\n') 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=pbx.test" -days $days \
    -keyout self.key -out self.pem -addext "subjectAltName=DNS:pbx.test" -addext "basicConstraints=critical,CA:FALSE" 2>/dev/null
rm -f ./*.csr ext index* serial* ca.key ca.srl 0*.pem

#!/usr/bin/env bash
# Recibe avisos que el nodo trae, con openssl, y comprueba quién los firma / receives events that the node brings, with openssl,
# and verifies who signed them. Needs openssl and jq; for gateways with P-256 keys. One event at a time: to learn from, not to run.
#
#   webhook.sh CREDENTIAL URL SERVER.pem SERVER.key DIRECTORY.json [COUNT]
#
# Los argumentos son los de `webhook.py` / the arguments are those of `webhook.py`.
set -euo pipefail

if (($# < 5)); then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
credential="$1" url="$2" certificate="$3" key="$4" directory="$5" left="${6:--1}"
work="$(mktemp -d)"
trap 'rm -rf "$work"; kill "${server_PID:-}" 2>/dev/null || true' EXIT

from_base64url() {
    local text
    text="$(tr -- '-_' '+/')"
    while ((${#text} % 4)); do text+='='; done
    base64 --decode <<<"$text"
}

hex() { od --address-radix=n --format=x1 --output-duplicates | tr -d ' \n'; }

# The gateway's message key of this id, from the signed directory, as PEM.
public_key() {
    local jwk
    jwk="$(jq --raw-output .payload "$directory" | from_base64url |
        jq --exit-status --arg kid "$1" '.keys[] | select(.use == "message" and .kid == $kid) | .jwk')" || return 1
    # The SubjectPublicKeyInfo of a P-256 point begins with the same bytes for every key.
    { printf '3059301306072a8648ce3d020106082a8648ce3d03010703420004'
      jq --raw-output .x <<<"$jwk" | from_base64url | hex
      jq --raw-output .y <<<"$jwk" | from_base64url | hex; } |
        sed 's/../\\x&/g' | { IFS= read -r bytes || true; printf '%b' "$bytes"; } |
        openssl pkey -pubin -inform DER -out "$work/key.pem"
}

# RFC 9530 and RFC 9421: the body is the one of the digest; digest, address and time are the gateway's word.
verify() {
    local parameters="${header[signature-input]#puente=}" raw created expires now
    [[ "${header[content-digest]}" == "sha-256=:$(openssl dgst -sha256 -binary <"$work/body" | base64):" ]] || return 1
    [[ "$parameters" =~ ^\(\"@method\"\ \"@target-uri\"\ \"content-type\"\ \"content-digest\"\)\;created=([0-9]+)\;expires=([0-9]+)\;keyid=\"([A-Za-z0-9._-]+)\"\;alg=\"ecdsa-p256-sha256\"\;tag=\"puente-event\"$ ]] || return 1
    created="${BASH_REMATCH[1]}" expires="${BASH_REMATCH[2]}" now="$(date +%s)"
    ((created - 120 <= now && now <= expires + 120)) || return 1
    public_key "${BASH_REMATCH[3]}" || return 1
    printf '"@method": POST\n"@target-uri": %s\n"content-type": %s\n"content-digest": %s\n"@signature-params": %s' \
        "$url" "${header[content-type]}" "${header[content-digest]}" "$parameters" >"$work/base"
    raw="${header[signature]#puente=:}"
    raw="$(base64 --decode <<<"${raw%:}" | hex)"
    printf 'asn1=SEQUENCE:signature\n[signature]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${raw:0:64}" "${raw:64:64}" >"$work/asn1"
    openssl asn1parse -genconf "$work/asn1" -noout -out "$work/signature"
    openssl dgst -sha256 -verify "$work/key.pem" -signature "$work/signature" "$work/base" >/dev/null
}

# mTLS: only our own country's node gets as far as a request. It closes after each; the next connection follows.
port="${url#https://}" port="${port%%/*}" port="${port##*:}"
coproc server {
    exec openssl s_server -accept "$port" -quiet -tls1_3 -alpn http/1.1 -cert "$certificate" -key "$key" \
        -CAfile "$credential/ca.pem" -Verify 2 -verify_return_error 2>/dev/null
}

while ((left != 0)); do
    declare -A header=()
    IFS= read -r request <&"${server[0]}"
    while IFS= read -r line <&"${server[0]}" && line="${line%$'\r'}" && [[ -n "$line" ]]; do
        name="${line%%:*}"
        header["${name,,}"]="${line#*: }"
    done
    ((${header[content-length]:-0} <= 65536)) || exit 1
    head --bytes="${header[content-length]:-0}" <&"${server[0]}" >"$work/body"
    if [[ "$request" == POST\ * ]] && verify; then
        # Printed is dealt with: only then 2xx, for whatever else is answered, the event comes again.
        jq --compact-output . "$work/body"
        status='204 No Content'
        left=$((left < 0 ? left : left - 1))
    else
        status='401 Unauthorized'
    fi
    printf 'HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' "$status" >&"${server[1]}"
done
# The last answer has to leave before the server ends.
sleep 1

#!/usr/bin/env bash
# Los avisos como flujo, con curl / the events as a stream, with curl. Needs curl and jq.
#
#   stream.sh CREDENTIAL [COUNT]   muestra avisos conforme ocurren / shows events as they happen
#
# CREDENTIAL es la carpeta que escribe `puente agency add --out DIR` / is the folder that `puente agency add --out DIR` writes.
set -euo pipefail

if (($# < 1)); then
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
credential="$1" left="${2:--1}" cursor_file="$1/cursor"

# One connection; curl ends it itself when nothing, not even a comment, came for 40 seconds.
connection() {
    curl --silent --show-error --fail --no-buffer --tlsv1.3 --cacert "$credential/ca.pem" \
        --cert "$credential/client.pem" --key "$credential/client.key" --speed-limit 1 --speed-time 40 \
        --header "Last-Event-ID: $(cat "$cursor_file" 2>/dev/null || printf 0)" \
        "https://$(tr -d '\n' <"$credential/address")/v1/events"
}

while ((left != 0)); do
    while ((left != 0)) && IFS= read -r line; do
        [[ "$line" == data:* ]] || continue
        jq . <<<"${line#data: }"
        # Stored once the event was dealt with: after a crash it is shown again, never lost.
        jq --join-output .id <<<"${line#data: }" >"$cursor_file.new"
        mv "$cursor_file.new" "$cursor_file"
        left=$((left < 0 ? left : left - 1))
    done < <(connection)
    ((left == 0)) || sleep 1
done

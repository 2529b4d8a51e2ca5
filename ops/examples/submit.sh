#!/usr/bin/env bash
# Un cliente de la cara doméstica con curl / a client of the domestic face with curl. Needs curl and jq.
#
#   submit.sh send    CREDENTIAL [ROW.json]   envía un renglón / submits a row
#   submit.sh receive CREDENTIAL [COUNT]      lee lo que llega / reads what comes
#
# CREDENTIAL es la carpeta que escribe `puente agency add --out DIR` / is the folder that `puente agency add --out DIR` writes.
set -euo pipefail

usage() {
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

(($# >= 2)) || usage
verb="$1" credential="$2"

# One request; the answer on standard output whatever its status. What was cut off is repeated: reads have no effect,
# and a submission carries its key.
ask() {
    local path="$1"
    shift
    curl --silent --show-error --tlsv1.3 --cacert "$credential/ca.pem" \
        --cert "$credential/client.pem" --key "$credential/client.key" \
        --max-time 40 --retry 5 --retry-connrefused \
        "$@" "https://$(tr -d '\n' <"$credential/address")$path"
}

# Ends with a problem's code and texts, if the answer is one.
refuse_problem() {
    jq --exit-status 'has("fault") and has("retry") | not' >/dev/null <<<"$1" && return
    jq --raw-output '"\(.status) \(.code) (\([.field, .rule, .detail] | map(select(.)) | join(" "))): \(.es) / \(.en)"' <<<"$1" >&2
    exit 1
}

send() {
    local row="$1" key verdict
    key="$(sha256sum "$row" | cut -d ' ' -f 1)"
    verdict="$(ask /v1/messages --header "Idempotency-Key: $key" --header 'Content-Type: application/json' \
        --data-binary "@$row")"
    refuse_problem "$verdict"
    jq . <<<"$verdict"
    jq --exit-status '.verdict | IN("accepted", "redacted", "held")' >/dev/null <<<"$verdict"
}

receive() {
    local left="${1:--1}" cursor_file="$credential/cursor" cursor inbox content link
    cursor="$(cat "$cursor_file" 2>/dev/null || printf 0)"
    while ((left != 0)); do
        inbox="$(ask "/v1/inbox?after=$cursor&wait=25")"
        refuse_problem "$inbox"
        for link in $(jq --raw-output '.events[] | select(.type == "puente.message_received") | .data.link' <<<"$inbox"); do
            content="$(ask "$link")"
            refuse_problem "$content"
            jq '{message: .message_id, type: .header.type, sections}' <<<"$content"
        done
        # Stored once the events were dealt with: after a crash they are read again, never lost.
        cursor="$(jq .next <<<"$inbox")"
        printf '%s' "$cursor" >"$cursor_file.new"
        mv "$cursor_file.new" "$cursor_file"
        left="$(jq --argjson left "$left" 'if $left < 0 then $left else [$left - (.events | length), 0] | max end' <<<"$inbox")"
    done
}

case "$verb" in
    send) send "${3:-$(dirname "${BASH_SOURCE[0]}")/row.json}" ;;
    receive) receive "${3:--1}" ;;
    *) usage ;;
esac

#!/usr/bin/env python3
"""Un cliente de la cara doméstica, sólo con la biblioteca estándar / a client of the domestic face, standard library only.

  submit.py send    CREDENTIAL [ROW.json]   envía un renglón y sigue su estado / submits a row and follows its state
  submit.py receive CREDENTIAL [COUNT]      espera avisos y lee lo que llega / waits for events and reads what comes

CREDENTIAL es la carpeta que escribe `puente agency add --out DIR` / is the folder that `puente agency add --out DIR` writes.
"""
import hashlib
import http.client
import json
import pathlib
import ssl
import sys
import time

# Seconds that the node may keep a long-poll open; the socket waits somewhat longer.
WAIT = 25
TIMEOUT = WAIT + 15

# How often a request is repeated that may have been cut off.
ATTEMPTS = 5


class Refused(Exception):
    """A problem (RFC 9457) that repeating the same request does not mend."""


class Node:
    """One agency's connection to its own country's node; opened anew when it was closed in between."""

    def __init__(self, credential: pathlib.Path):
        self.host, port = (credential / "address").read_text("ascii").strip().rsplit(":", 1)
        self.port = int(port)
        # Only the country's own authority counts, never those of the machine.
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.load_verify_locations(credential / "ca.pem")
        self.tls.load_cert_chain(credential / "client.pem", credential / "client.key")
        self.connection = None

    def ask(self, method: str, path: str, body: bytes | None = None, key: str | None = None) -> dict:
        """The answer as JSON. Repeats what may be repeated: reads always, a submission under its key only."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        attempts = ATTEMPTS if method == "GET" or key is not None else 1
        for attempt in range(1, attempts + 1):
            try:
                status, kind, retry_after, answer = self._once(method, path, body, headers)
            except (OSError, http.client.HTTPException):
                self.close()
                if attempt == attempts:
                    raise
                time.sleep(2 ** attempt / 10)
                continue
            if kind != "application/problem+json":
                return answer
            if answer["retry"] == "never" or attempt == attempts:
                raise Refused(told(status, answer))
            time.sleep(retry_after)
        raise AssertionError("unreachable: the last attempt answers or raises")

    def _once(self, method, path, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT, context=self.tls)
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        kind = response.headers.get_content_type()
        return response.status, kind, int(response.headers.get("Retry-After", "1")), answer

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def told(status: int, problem: dict) -> str:
    where = " ".join(text for text in (problem["field"], problem["rule"], problem["detail"]) if text)
    return f"{status} {problem['code']} ({where}): {problem['es']} / {problem['en']}"


def show(value) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)


def send(node: Node, row: bytes) -> bool:
    """Submits, then follows the message until the other country's node has answered."""
    # The key belongs to the act and not to the attempt: the same row sent twice is accepted once. A system of record
    # stores a random key beside the row; a digest does for an example.
    verdict = node.ask("POST", "/v1/messages", row, key=hashlib.sha256(row).hexdigest())
    show(verdict)
    message = verdict.get("message_id")
    while message is not None:
        status = node.ask("GET", f"/v1/messages/{message}")
        state = status["message"]["state"]
        if state != "queued":
            print(f"{message}: {state}; {len(status['receipts'])} acuses firmados / signed receipts")
            return state == "accepted"
        time.sleep(1)
    return verdict["verdict"] == "held"


def receive(node: Node, credential: pathlib.Path, count: float = float("inf")) -> None:
    """Reads what comes, by long-poll. The cursor is stored after each event was dealt with: nothing is lost in a crash."""
    cursor_file = credential / "cursor"
    cursor = int(cursor_file.read_text("ascii")) if cursor_file.exists() else 0
    while count > 0:
        inbox = node.ask("GET", f"/v1/inbox?after={cursor}&wait={WAIT}")
        for event in inbox["events"]:
            if event["type"] == "puente.message_received":
                about = event["data"]
                content = node.ask("GET", about["link"])
                show({"message": about["message"], "type": about["message_type"], "sections": content["sections"]})
            cursor = int(event["id"])
            keep(cursor_file, cursor)
            count -= 1


def keep(cursor_file: pathlib.Path, cursor: int) -> None:
    """Writes the cursor whole or not at all."""
    fresh = cursor_file.with_suffix(".new")
    fresh.write_text(str(cursor), "ascii")
    fresh.replace(cursor_file)


def main() -> int:
    verb, *rest = sys.argv[1:] or ["help"]
    if verb not in ("send", "receive") or not rest:
        print(__doc__, file=sys.stderr)
        return 2
    credential = pathlib.Path(rest[0])
    node = Node(credential)
    try:
        if verb == "receive":
            receive(node, credential, float(rest[1]) if len(rest) > 1 else float("inf"))
            return 0
        default = pathlib.Path(__file__).with_name("row.json")
        row = pathlib.Path(rest[1]) if len(rest) > 1 else default
        return 0 if send(node, row.read_bytes()) else 1
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        node.close()


if __name__ == "__main__":
    sys.exit(main())

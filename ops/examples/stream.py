#!/usr/bin/env python3
"""Los avisos como flujo, sólo con la biblioteca estándar / the events as a stream, standard library only.

  stream.py CREDENTIAL [COUNT]   muestra avisos conforme ocurren / shows events as they happen

CREDENTIAL es la carpeta que escribe `puente agency add --out DIR` / is the folder that `puente agency add --out DIR` writes.
Quien pierde la conexión sigue donde quedó / whoever loses the connection goes on where it stopped.
"""
import http.client
import json
import pathlib
import sys
import time

import submit


def follow(credential: pathlib.Path, count: float) -> None:
    """Reads the stream until so many events were dealt with; connects again whenever it ends."""
    cursor_file = credential / "cursor"
    pause = 1
    while count > 0:
        node = submit.Node(credential)
        last = cursor_file.read_text("ascii") if cursor_file.exists() else "0"
        try:
            for event in events(node, last):
                submit.show(event)
                submit.keep(cursor_file, int(event["id"]))
                count, pause = count - 1, 1
                if count == 0:
                    return
        except (OSError, http.client.HTTPException) as error:
            print(f"otra vez / again: {type(error).__name__}", file=sys.stderr)
        finally:
            node.close()
        time.sleep(pause)
        pause = min(2 * pause, 60)


def events(node: submit.Node, last: str):
    """The events of one connection: a `data` line is a whole event; a comment only says that the stream lives."""
    connection = http.client.HTTPSConnection(node.host, node.port, timeout=submit.TIMEOUT, context=node.tls)
    try:
        connection.request("GET", "/v1/events", headers={"Accept": "text/event-stream", "Last-Event-ID": last})
        answer = connection.getresponse()
        if answer.status != 200:
            problem = json.loads(answer.read())
            if problem["retry"] == "never":
                raise submit.Refused(submit.told(answer.status, problem))
            return
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line[len(b"data: "):])
    finally:
        connection.close()


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        follow(pathlib.Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else float("inf"))
        return 0
    except submit.Refused as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())

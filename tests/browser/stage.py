"""Two countries on this machine, and what their officers have before them: an alert, a held row, a list of people.

Not here: the browser. Everything is set up with the binary's own commands, in the training realm, in a folder that goes.
"""

import datetime
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PUENTE = str((REPOSITORY / os.environ["PUENTE"]).resolve())
ZONE = "America/Guatemala"


class Desk:
    """One officer's desk, as a process."""

    def __init__(self, stage, country, agency, officer):
        key = stage.folder / "keys" / agency / f"officer-{officer}.key"
        self.process = subprocess.Popen(
            [PUENTE, "--format", "json", "desk", "--as", str(stage.folder / agency), "--officer", str(key), "--zone", ZONE],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stage.processes.append(self.process)
        told = json.loads(self.process.stdout.readline())
        self.url, self.code = told["address"], told["code"]


class Stage:
    """The federation; leaving it ends every process and removes every file."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.processes = []
        held = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
        ports = [f"127.0.0.1:{one.getsockname()[1]}" for one in held]
        for one in held:
            one.close()
        for country, (domestic, federation, operations) in {"GT": ports[:3], "MX": ports[3:]}.items():
            self.puente(
                "init", "--home", self.home(country), "--country", country, "--realm", "training", "--name", "127.0.0.1",
                "--gateway", federation, "--listen-domestic", domestic, "--listen-federation", federation,
                "--listen-operations", operations,
            )
        for country, agency, role in [
            ("GT", "PGN", "child_protection"),
            ("GT", "IGM", "returns_reception"),
            ("MX", "PFPNNA", "child_protection"),
            ("MX", "INM", "migration_enforcement"),
        ]:
            self.puente("agency", "add", agency, "--home", self.home(country), "--role", role, "--out", self.folder / agency)
        for country, agency, officer in [("GT", "PGN", "lucia"), ("GT", "IGM", "raul"), ("MX", "INM", "ana")]:
            out = self.folder / "keys" / agency
            self.puente(
                "agency", "officer", "add", agency, officer, "--person", f"p-{officer}",
                "--home", self.home(country), "--out", out,
            )
        self.puente("federation", "found", "--home", self.home("GT"), "--home", self.home("MX"))
        serving = [self.serve("GT"), self.serve("MX")]
        for node in serving:
            assert node.stdout.readline(), "a node did not start"
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=30)
        shutil.rmtree(self.folder)

    def home(self, country):
        return self.folder / country.lower()

    def serve(self, country):
        process = subprocess.Popen(
            [PUENTE, "--format", "json", "serve", "--home", str(self.home(country))],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.processes.append(process)
        return process

    def puente(self, *arguments, allowed=(0,)):
        """Runs a command; its answer as JSON."""
        done = subprocess.run(
            [PUENTE, "--format", "json", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode in allowed, f"{arguments[:2]}: {done.returncode} {done.stderr} {done.stdout}"
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None

    def send(self, agency, message, verdict):
        path = self.folder / "message.json"
        path.write_text(json.dumps(message))
        said = self.puente("message", "send", path, "--as", self.folder / agency, allowed=(0, 1))
        assert verdict in json.dumps(said), said
        return said

    def desk(self, country, agency, officer):
        return Desk(self, country, agency, officer)

    def alert(self):
        """Mexico's child protection tells Guatemala's of a child."""
        example = REPOSITORY / "schemas/messages/child.alert/1/examples/valid-full.json"
        flags = {
            "unaccompanied": "yes", "screening_done": "yes", "age_disputed": "no",
            "open_family_link_in_custody": "no", "stateless_risk": "no",
        }
        self.send("PFPNNA", {
            "type": "child.alert",
            "recipient": {"country": "GT", "role": "child_protection", "agency": "PGN"},
            "purpose": "child_protection",
            "legal_basis": {"type": "best_interests"},
            "subject": {
                "kind": "child", "age": 11, "nationality": "GT", "residence": "GT", "risk_countries": [],
                "protection": "none_expressed", "flags": flags,
            },
            "sections": json.loads(example.read_text())["sections"],
        }, "accepted")

    def held_row(self):
        """A national of a third country, whom the rules hold for two officers; the telephone does not go at all."""
        row = json.loads((REPOSITORY / "ops/examples/row.json").read_text())
        row["subject"]["nationality"] = row["subject"]["residence"] = "VE"
        row["sections"]["id.core"]["nationalities"] = ["VE"]
        row["sections"]["contact"] = {"channel": "phone", "value": "+584125550101", "safe_to_call": True}
        self.send("INM", row, "held")

    def list(self):
        """The list of the demonstration, for a bus that arrives tomorrow; answers the operation."""
        operation = str(uuid.uuid4())
        # Guatemala keeps one offset all year.
        port = datetime.timezone(datetime.timedelta(hours=-6))
        eta = datetime.datetime.now(port) + datetime.timedelta(hours=20)
        self.puente(
            "operation", "upload", REPOSITORY / "ops/demo/manifest.csv", "--as", self.folder / "INM",
            "--operation", operation, "--destination", "GT", "--agreement", "MX-GT", "--mode", "land",
            "--origin", "Tapachula", "--port-of-entry", "Tecún Umán", "--vehicle", "Bus 14",
            "--eta", eta.strftime(f"%Y-%m-%dT%H:%M:%S-06:00[{ZONE}]"), allowed=(0, 1),
        )
        return operation

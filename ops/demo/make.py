#!/usr/bin/env python3
"""Writes the demonstration's list of people, three times over, and the verdict each row must get.

Every person is invented: names, numbers and dates come from a seeded generator and the special rows below.
Run it from anywhere: python3 make.py (needs openpyxl). The same seed gives the same bytes.
"""
import csv
import datetime
import io
import json
import pathlib
import random
import zipfile

import openpyxl

HERE = pathlib.Path(__file__).parent
SEED = 20261125
# The operation's local date in the port's zone; ages are reckoned at it. `puente demo` keeps to this hour.
ARRIVAL = datetime.date(2026, 11, 25)

COLUMNS = [
    "nombres", "primer_apellido", "segundo_apellido", "sexo", "fecha_nacimiento", "edad", "edad_estimada",
    "nacionalidad", "pais_nacimiento", "lugar_nacimiento", "tipo_numero", "numero_identidad", "expediente",
    "documento_viaje", "asiento", "escolta", "necesidades", "recepcion_especializada", "idiomas", "interprete",
    "grupo_familiar", "parentesco", "proteccion", "residencia_habitual", "paises_riesgo", "no_acompanado",
    "evaluacion_hecha", "edad_en_duda",
    "familiar_en_custodia", "riesgo_apatridia", "autoridad_ninez", "horario_acordado", "interes_superior",
    "asilo", "antecedentes", "historial_migratorio", "telefono", "religion",
]

WOMEN = ["María", "Ana Lucía", "Juana", "Rosa Elvira", "Ixchel", "Catarina", "Petrona", "Dolores", "Marta Julia",
         "Sandra", "Elena", "Candelaria", "Magdalena", "Josefina", "Eulalia", "Verónica", "Aura Marina", "Irma"]
MEN = ["José Luis", "Mateo", "Pedro", "Juan Carlos", "Andrés", "Diego", "Gaspar", "Domingo", "Miguel Ángel",
       "Sebastián", "Tomás", "Byron", "Wilmer", "Francisco", "Efraín", "Rigoberto", "Nicolás", "Baltazar"]
PLACES = [  # language, surnames of the place, department and municipality of the CUI, name of the place
    ("K'iche'", ["Tzoc", "Ixcoy", "Sontay", "Chaj", "Tum", "Us", "Lux", "Chanchavac"], "0805", "Momostenango"),
    ("Mam", ["Ramírez", "Aguilar", "Pérez", "Domingo", "Ordóñez", "Jiménez", "Vásquez"], "1326", "Todos Santos"),
    ("Q'eqchi'", ["Caal", "Choc", "Xol", "Ical", "Tiul", "Coc", "Pop", "Ché"], "1601", "Cobán"),
    ("Q'anjob'al", ["Mateo", "Andrés", "Juan", "Nicolás", "Baltazar", "Tomás"], "1319", "Santa Eulalia"),
    ("español", ["Hernández", "Núñez", "de León", "Morales", "Güinac", "Peña", "Lemus"], "1217", "Ayutla"),
]

random_ = random.Random(SEED)
rows = []       # the cells of each row
expected = []   # the verdict of each row
names_used = set()


def cui(place, wrong=False):
    """A CUI with the right check digit (weights 2 to 9, modulo 11), or with a wrong one."""
    while True:
        serial = [random_.randint(0, 9) for _ in range(8)]
        check = sum(digit * weight for digit, weight in zip(serial, range(2, 10))) % 11
        if check < 10:
            return "".join(map(str, serial)) + str((check + wrong) % 10) + place[2]


def born(low, high):
    days = random_.randint(low * 365 + low // 4 + 2, high * 365 + high // 4)
    return (ARRIVAL - datetime.timedelta(days=days)).isoformat()


def person(low=19, high=52, sex=None, surnames=None, place=None, **cells):
    """An ordinary adult: screened, nothing expressed, every question answered."""
    place = place or random_.choices(PLACES, weights=[4, 4, 4, 3, 7])[0]
    sex = sex or random_.choice("MMMF")
    while True:
        given = random_.choice(WOMEN if sex == "F" else MEN)
        first, second = surnames or random_.sample(place[1], 2)
        if (given, first, second) not in names_used and (given, second, first) not in names_used:
            names_used.add((given, first, second))
            break
    spanish = place[0] == "español"
    row = dict.fromkeys(COLUMNS, "")
    row |= {
        "nombres": given, "primer_apellido": first, "segundo_apellido": second, "sexo": sex,
        "fecha_nacimiento": born(low, high), "nacionalidad": "GT", "pais_nacimiento": "Guatemala",
        "lugar_nacimiento": place[3], "tipo_numero": "CUI", "numero_identidad": cui(place),
        "expediente": f"INM-TAP-2026-{len(rows) + 4101}", "documento_viaje": "ninguno",
        "asiento": f"{len(rows) // 4 + 1}{'ABCD'[len(rows) % 4]}", "escolta": "enforcement",
        "recepcion_especializada": "no", "idiomas": place[0] if spanish else f"{place[0]}; español",
        "interprete": "no", "proteccion": "ninguna", "paises_riesgo": "ninguno", "no_acompanado": "no", "evaluacion_hecha": "sí",
        "edad_en_duda": "no", "familiar_en_custodia": "no", "riesgo_apatridia": "no",
    }
    if not spanish and random_.random() < 0.4:
        row |= {"idiomas": place[0], "interprete": "sí", "necesidades": "interpreter"}
    row |= cells
    # Everybody lives where they are a national of, unless a cell says otherwise.
    return row | {"residencia_habitual": row["residencia_habitual"] or row["nacionalidad"]}


def child_alone(low, high, **cells):
    """An unaccompanied child with every precondition of a return met (R-CHD-01, R-BID-01)."""
    return person(low, high, no_acompanado="sí", autoridad_ninez="sí", horario_acordado="sí",
                  interes_superior="sí", recepcion_especializada="sí", escolta="child_protection") | cells


def add(row, verdict="accepted", rule="R-OK", removed=(), cell=None, note=None, **more):
    """Puts a row on the sheet; answers its number there (the header is row 1)."""
    number = len(rows) + 2
    rows.append(row)
    expected.append({"row": number, "verdict": verdict, "rule": rule, "removed": sorted(removed),
                     "cell": cell and f"{letters(COLUMNS.index(cell))}{number}"} | more
                    | ({"note": note} if note else {}))
    return number


def letters(index):
    return (chr(64 + index // 26) if index >= 26 else "") + chr(65 + index % 26)


def ordinary(count):
    for _ in range(count):
        add(person())


def families():
    """Fifteen families: a mother or both parents with one to three accompanied children."""
    for group in range(1, 16):
        place = random_.choice(PLACES)
        father, mother, hers = random_.sample(place[1], 3)
        tag = f"FAM-{group:02}"
        both = group % 3 == 0
        if both:
            add(person(24, 45, "M", (father, hers), place, grupo_familiar=tag, parentesco="padre"))
        add(person(22, 42, "F", (mother, hers), place, grupo_familiar=tag, parentesco="madre"))
        for _ in range(1 + (group % 4 == 0)):
            needs = {} if random_.random() < 0.7 else {"necesidades": "stroller; diapers"}
            add(person(1, 15, surnames=(father, mother), place=place, grupo_familiar=tag, parentesco="hijo",
                       tipo_numero="", numero_identidad="", **needs))
    # Twins: two people, and no possible duplicate.
    for given in ("Ana Sofía", "Ana Beatriz"):
        add(person(surnames=("Sontay", "Ixcoy"), sex="F", place=PLACES[0], grupo_familiar="FAM-01",
                   parentesco="sobrina", nombres=given, fecha_nacimiento="2015-06-20", tipo_numero="",
                   numero_identidad=""), note="twins: not a possible duplicate of one another")


def children_alone():
    for age in (16, 15, 13, 17):
        add(child_alone(age, age + 1), note="unaccompanied, every precondition met; to child_protection")
    add(child_alone(14, 15, horario_acordado="no"), "refused", "R-CHD-01", note="outside agreed hours")
    add(child_alone(16, 17, autoridad_ninez="no"), "refused", "R-CHD-01", note="no child-welfare authority named")
    add(child_alone(15, 16, evaluacion_hecha=""), "refused", "R-CHD-01", note="blank screening is unknown, never no")
    add(child_alone(12, 13, interes_superior=""), "refused", "R-BID-01", note="no best-interests determination")


def missing_birth():
    for age in (34, 41, 27):
        add(person(fecha_nacimiento="", edad=str(age), edad_estimada="sí"), note="age estimated")
    add(person(fecha_nacimiento="", edad="58"), note="age stated, no date")
    add(person(fecha_nacimiento=""), "held", "R-CHD-02", note="neither date nor age: kind unknown")


def wrong_check_digits():
    for place in (PLACES[1], PLACES[2], PLACES[4]):
        add(person(place=place, numero_identidad=cui(place, wrong=True)), warning="number.check_digit",
            note="wrong check digit: a warning, never a refusal")


def policy_rows():
    add(person(nacionalidad="VE", pais_nacimiento="Venezuela", lugar_nacimiento="Maracaibo", tipo_numero="cédula",
               numero_identidad="", place=PLACES[4]), "held", "R-TCN-01", note="third-country national")
    add(person(proteccion="solicita", paises_riesgo="GT"), "refused", "R-ASY-01", note="pending asylum claim")
    add(person(proteccion="", paises_riesgo=""), "held", "R-ASY-06", note="protection not screened")
    add(person(familiar_en_custodia="sí"), "held", "R-FAM-01", note="a child of hers is still in custody")
    add(person(riesgo_apatridia="sí"), "held", "R-STL-01", note="registration missing")
    add(person(edad_en_duda="sí", fecha_nacimiento="2007-02-11"), "held", "R-CHD-02", note="adult by document, age in doubt")


def stripped():
    add(person(asilo="ninguna solicitud"), "redacted", "R-ASY-02", ["asylum.status"])
    add(person(antecedentes="sin antecedentes"), "redacted", "R-CRI-01", ["criminal.record"])
    add(person(historial_migratorio="detenida en 2024"), "redacted", "R-MIN-01", ["migration.history"])
    add(person(telefono="5550 1234"), "redacted", "R-MIN-01", ["contact"])
    add(person(religion="católica"), "redacted", "R-MIN-01", ["belief.opinion"])
    add(person(antecedentes="ninguno", telefono="5550 9876"), "redacted", "R-CRI-01", ["contact", "criminal.record"])


def duplicates():
    # Two pairs that a person must look at: both rows go, both are shown.
    one = person(28, 33, "M", ("Núñez", "Peña"), PLACES[4], nombres="José Luis")
    first = add(one)
    add(one | {"nombres": "JOSE", "primer_apellido": "NUNEZ", "segundo_apellido": "", "asiento": "40A",
               "expediente": "INM-TAP-2026-4990", "numero_identidad": "", "tipo_numero": ""},
        possible_duplicate_of=first, note="accents, one given name and the second surname missing")
    two = person(28, 33, "F", ("Tzoc", "Caal"), PLACES[2], nombres="Ixchel")
    first = add(two)
    add(two | {"nombres": "Caal", "primer_apellido": "Tzoc", "segundo_apellido": "Ixchel", "asiento": "40B",
               "expediente": "INM-TAP-2026-4991", "numero_identidad": "", "tipo_numero": ""},
        possible_duplicate_of=first, note="given name and surname in each other's column")
    # Two exact copies: the second costs itself.
    for source in (4, 9):
        add(dict(rows[source]), "duplicate", None, problem="row.duplicate", cell="nombres", of_row=source + 2)


def malformed():
    add(person(nacionalidad="Tierra Alta", residencia_habitual="GT"), "malformed", None, problem="field.invalid", cell="nacionalidad",
        note="unknown country")
    add(person(fecha_nacimiento="31/02/1990"), "malformed", None, problem="field.invalid", cell="fecha_nacimiento",
        note="a date that is not in the calendar")
    add(person(segundo_apellido="=1+1"), "malformed", None, problem="cell.formula", cell="segundo_apellido",
        note="a cell that a spreadsheet would calculate")
    add(person(primer_apellido=""), "malformed", None, problem="field.missing", cell="primer_apellido")


def write_csv():
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    (HERE / "manifest.csv").write_bytes(text.getvalue().encode("utf-8-sig"))
    (HERE / "manifest-windows-1252.csv").write_bytes(text.getvalue().encode("cp1252"))


def write_xlsx():
    book = openpyxl.Workbook()
    book.properties.creator = "puente"
    book.properties.created = book.properties.modified = datetime.datetime(2026, 1, 1)
    sheet = book.active
    sheet.title = "manifiesto"
    sheet.append(COLUMNS)
    for row in rows:
        sheet.append([calendar_date(row[column]) if column == "fecha_nacimiento" else row[column] or None
                      for column in COLUMNS])
    packed = io.BytesIO()
    book.save(packed)
    # openpyxl stamps the hour of writing into properties and archive: fixed here, so that the file is reproducible.
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(HERE / "manifest.xlsx", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                start, end = content.index(b"<dcterms:modified"), content.index(b"</dcterms:modified>")
                begin = content.index(b">", start) + 1
                content = content[:begin] + b"2026-01-01T00:00:00Z" + content[end:]
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)


def calendar_date(text):
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return text or None


def write_expected():
    counts = {}
    for row in expected:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    body = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in expected)
    text = f'{{"submitted": {len(rows)}, "counts": {json.dumps(counts)},\n "rows": [\n{body}\n ]}}\n'
    (HERE / "expected.json").write_text(text, encoding="utf-8")


def main():
    ordinary(48)
    families()
    children_alone()
    missing_birth()
    wrong_check_digits()
    policy_rows()
    stripped()
    duplicates()
    malformed()
    ordinary(135 - len(rows))
    write_csv()
    write_xlsx()
    write_expected()


if __name__ == "__main__":
    main()

"""The attendance of a session on paper and as files, read back with other programs' eyes."""
import csv
import io
import os
import subprocess

from harness import Server, check, enter

NAMES = ["Amélie Dupont-Lefèvre", "Besançon, \"le Grand\"", "=SUM(A1:A9)", "Zoë Łukasiewicz"] + \
    [f"Participante nº {i} au nom plutôt long" for i in range(36)]


def pdf_text(path):
    return subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, text=True,
                          check=True).stdout


def flat(text):
    return "".join(text.split())


def files(s, class_id):
    sheet = os.path.join(s.folder, "sheet.pdf")
    code, _, err = s.cli("attendance", class_id, "--pdf", sheet, "--minutes", "100000")
    check("a sheet to sign as PDF", code == 0 and os.path.getsize(sheet) > 1000, err)
    text = pdf_text(sheet)
    check("names every person as text", all(flat(n) in flat(text) for n in NAMES))
    pages = text.count("\f")
    check("breaks pages and repeats its heads", pages >= 2 and text.count("Signature") == pages,
          f"{pages} pages")
    info = subprocess.run(["pdfinfo", sheet], capture_output=True, text=True, check=True).stdout
    check("is tagged for screen readers", "Tagged:          yes" in info)
    tags = subprocess.run(["pdfinfo", "-struct", sheet], capture_output=True, text=True,
                          check=True).stdout.split()
    check("heads are heads, cells are cells",
          tags.count("TH") == 7 * pages and tags.count("TD") == 7 * (len(NAMES) + 1),
          [tags.count("TH"), tags.count("TD")])
    folder = os.path.join(s.folder, "certificates")
    code, _, err = s.cli("attendance", class_id, "--certificates", folder, "--minutes", "100000")
    check("nobody below the threshold gets a certificate",
          code == 0 and os.listdir(folder) == [], err)
    code, _, err = s.cli("attendance", class_id, "--certificates", folder, "--share", "1")
    made = os.listdir(folder)
    text = "".join(pdf_text(os.path.join(folder, f)) for f in made)
    check("everybody present gets one with the name",
          code == 0 and len(made) == len(NAMES) + 1 and all(flat(n) in flat(text) for n in NAMES),
          len(made))
    code, _, err = s.cli("attendance", class_id, "--pdf", "/nowhere/sheet.pdf")
    check("a file that cannot be made is said", code == 1 and "/nowhere/sheet.pdf" in err, err.strip())


def spreadsheet(s, class_id):
    _, out, _ = s.cli("attendance", class_id, "--csv")
    rows = list(csv.reader(io.StringIO(out.lstrip("\ufeff"), newline=""), delimiter=";"))
    names = {r[0] for r in rows[1:]}
    check("CSV keeps names with quotes and separators", set(NAMES[:2]) <= names)
    check("and lets none of them be a formula", "'=SUM(A1:A9)" in names)


def run():
    with Server() as s:
        class_id = s.make_class("Évaluer par compétences")
        host, _ = enter(s, s.link(class_id, "host")["link"], "Claire Fontaine")
        link = s.link(class_id)["link"]
        people = [enter(s, link, name)[0] for name in NAMES]
        code, _, err = s.cli("attendance", class_id, "--certificates", s.folder)
        check("no certificate while the session runs", code == 1 and "still runs" in err, err.strip())
        host.answer(host.send("session.end"))
        for p in people:
            p.wait_closed()
        files(s, class_id)
        spreadsheet(s, class_id)

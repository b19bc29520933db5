"""The attendance of a session on paper and as files, read back with other programs' eyes."""
import csv
import glob
import http.client
import io
import json
import os
import sqlite3
import subprocess
import time

import t_accounts
from harness import Server, check, enter, tls, wait_for

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
    check("a cell of several lines is several words for who reads by structure",
          " Contrôles" in struct_text(sheet) or "Contrôles" not in text)
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


WORDS = {
    "fr": (["Feuille d’émargement", "Séance du", "Présence à partir de", "Nom Rôle Présence Min Ateliers"
            " Statut Signature", "Provisoire, pas encore scellé. Empreinte :", "Amphi, établi le"],
           ["Attestation de présence", "a participé à « Évaluer par compétences » le", "minutes.",
            "Animation : Claire Fontaine", "Sceau de la séance :"]),
    "en": (["Attendance sheet", "Session from", "Present from", "Name Role Present Min Workshops Status"
            " Signature", "Provisional, not sealed yet. Digest:", "Amphi, made on"],
           ["Certificate of attendance", "took part in “Évaluer par compétences” on", "minutes.",
            "Led by Claire Fontaine", "Seal of the session:"])}


def struct_text(path):
    return subprocess.run(["pdfinfo", "-struct-text", path], capture_output=True, text=True,
                          check=True).stdout


def papers(s, class_id):
    """Sheet and certificate in both languages, as text, as structure and as a picture."""
    rows = json.loads(s.cli("attendance", class_id, "--json")[1])["people"]
    zoe = next(r["person"] for r in rows if r["name"].startswith("Zoë"))
    for lang, (sheet_words, paper_words) in WORDS.items():
        sheet, paper = (os.path.join(s.folder, f"{what}.{lang}.pdf") for what in ("sheet", "paper"))
        s.cli("attendance", class_id, "--pdf", sheet, "--lang", lang)
        s.cli("attendance", class_id, "--pdf", paper, "--lang", lang, "--person", zoe, "--share", "1")
        for path, words, heads in ((sheet, sheet_words, 2), (paper, paper_words + ["Zoë Łukasiewicz"], 2)):
            text = flat(pdf_text(path))
            missing = [w for w in words if flat(w) not in text]
            check(f"{os.path.basename(path)} says all it has to say", not missing, missing)
            lines = struct_text(path).splitlines()
            tags = [line.split()[0] for line in lines if line.strip()[:1] not in ('"', "")]
            check("its heads are heads, its structure begins with the title",
                  tags[:3] == ["Document", "H1", "H2"] and tags.count("H1") + tags.count("H2") == heads
                  and words[0] in lines[2], lines[:3])
            # Looked at: there is ink, and none of it beyond the margins.
            ppm = subprocess.run(["pdftoppm", "-r", "30", "-gray", "-f", "1", "-l", "1", path],
                                 capture_output=True, check=True).stdout
            _, size, _, dots = ppm.split(b"\n", 3)
            width, height = map(int, size.split())
            rows_of = [dots[y * width:(y + 1) * width] for y in range(height)]
            inked = [(x, y) for y, row in enumerate(rows_of) for x, dot in enumerate(row) if dot < 128]
            left, right = min(x for x, _ in inked), max(x for x, _ in inked)
            check("ink within the margins", len(inked) > 200 and left > 15 and right < width - 15,
                  (len(inked), left, right, width))


def spreadsheet(s, class_id):
    _, out, _ = s.cli("attendance", class_id, "--csv")
    rows = list(csv.reader(io.StringIO(out.lstrip("\ufeff"), newline=""), delimiter=";"))
    names = {r[0] for r in rows[1:]}
    check("CSV keeps names with quotes and separators", set(NAMES[:2]) <= names)
    check("and lets none of them be a formula", "'=SUM(A1:A9)" in names)


def ask(s, method, path, bearer=None, body=None):
    """Status, headers and body (JSON when it is) of a request of a page."""
    c = http.client.HTTPSConnection("127.0.0.1", s.port, timeout=60, context=tls())
    headers = {"Origin": f"https://127.0.0.1:{s.port}"}
    if bearer:
        headers["Authorization"] = "Bearer " + bearer
    data = None
    if method == "POST":
        headers["Content-Type"] = "application/json"
        data = json.dumps(body or {})
    try:
        c.request(method, path, data, headers)
        answer = c.getresponse()
        raw = answer.read()
        kind = answer.getheader("content-type") or ""
        return answer.status, json.loads(raw) if "json" in kind else raw
    finally:
        c.close()


def live(s, class_id, host_token, person_token, person, snapshot):
    """While the class runs: presence check, own record, the sheet of staff."""
    api = f"/api/classes/{class_id}/attendance"
    person_id = snapshot["you"]["person"]
    status, own = ask(s, "GET", api + "/own", person_token)
    check("everybody sees his own record while it runs",
          status == 200 and own["own"]["person"] == person_id and own["own"]["here"], own)
    status, _ = ask(s, "GET", api, person_token)
    check("and nobody the sheet of all", status == 403, status)
    status, sheet = ask(s, "GET", api, host_token)
    names = [p["name"] for p in sheet["sheet"]["people"]]
    check("staff sees the sheet live", status == 200 and NAMES[0] in names, status)
    status, answer = ask(s, "POST", api + "/seal", host_token)
    check("a running session is not sealed", status == 409, answer)
    status, answer = ask(s, "POST", api + "/contest", person_token, {"text": "J'étais là"})
    check("one may contest one's record", status == 200, answer)
    return person_id


def checked(host, people):
    """A presence check that all but the last answer."""
    host.answer(host.send("check.ask"))
    for p in people[:-1]:
        asked = p.event("check.set")["checks"][0]
        p.answer(p.send("check.answer", check=asked["id"]))
    host.event("check.tally.set", checkTally=[[len(people), len(people) - 1]])


def after(s, class_id, link, person_token, person_id):
    """When it is over: words of staff, the seal, what a changed byte does."""
    api = f"/api/classes/{class_id}/attendance"
    _, sheet = ask(s, "GET", api, link)
    row = next(p for p in sheet["sheet"]["people"] if p["person"] == person_id)
    check("a contest stands on the sheet", row["contest"]["text"] == "J'étais là", row)
    check("presence checks are counted", (row["checks_asked"], row["checks_passed"]) == (1, 1), row)
    status, answer = ask(s, "POST", api + "/correct", link,
                         {"person": person_id, "status": "excused", "reason": ""})
    check("a correction needs a reason", status == 422 and answer["error"] == "reason", answer)
    status, answer = ask(s, "POST", api + "/correct", link,
                         {"person": person_id, "status": "excused", "reason": "Panne du réseau"})
    check("staff corrects with a reason", status == 200, answer)
    _, own = ask(s, "GET", api + "/own", person_token)
    check("the person sees it, with what was computed",
          (own["own"]["status"], own["own"]["computed"]) == ("excused", "present")
          and own["own"]["correction"]["reason"] == "Panne du réseau", own)
    status, text = ask(s, "GET", api + "/file?kind=csv&lang=fr", link)
    check("the CSV over the page tells both", status == 200 and "Panne du réseau" in text.decode()
          and "excusé" in text.decode(), status)
    status, pdf = ask(s, "GET", api + "/file?kind=sheet", link)
    path = os.path.join(s.folder, "page.pdf")
    with open(path, "wb") as f:
        f.write(pdf)
    words = flat(pdf_text(path))
    check("the sheet over the page is a PDF that says what was corrected and why", status == 200
          and flat("calculé : présent") in words and flat("Panne du réseau") in words
          and flat("Contrôles : 1/1") in words and "Provisoire" in words, status)
    status, _ = ask(s, "GET", api + "/file?kind=sheet", person_token)
    check("not for participants", status == 403, status)
    status, _ = ask(s, "GET", api + "/file?kind=certificate", person_token)
    check("no certificate for whoever is only excused", status == 404, status)
    status, answer = ask(s, "POST", api + "/seal", link)
    check("staff seals", status == 200, answer)
    _, sheet = ask(s, "GET", api, link)
    check("the seal stands and holds", sheet["sheet"]["sealed"] and sheet["sheet"]["holds"]
          and sheet["intact"] and len(sheet["sheet"]["seal"]) == 64)
    status, answer = ask(s, "POST", api + "/correct", link,
                         {"person": person_id, "status": "present", "reason": "après"})
    check("a sealed sheet stays", status == 409 and answer["error"] == "sealed", answer)
    code, out, err = s.cli("attendance", class_id, "--verify")
    check("the command says that the seal holds", code == 0 and "holds" in out, err)


def remains(s, class_id, link, token, person_id, other_id):
    """What is kept, of whom, for whom, and what erasing leaves."""
    api = f"/api/classes/{class_id}"
    status, seen = ask(s, "GET", api + "/after", link)
    check("staff reads what was written and how long people spoke",
          status == 200 and seen["chat"][0]["text"] == "Bonjour à tous" and "times" in seen, seen)
    status, seen = ask(s, "GET", api + "/after", token)
    check("whoever was there reads what was written to all, and no times",
          status == 200 and len(seen["chat"]) == 1 and "times" not in seen, seen)
    status, _ = ask(s, "GET", api + "/ready", token)
    check("the readiness board is for staff", status == 403, status)
    status, answer = ask(s, "POST", api + "/ready", token,
                         {"verdict": 2, "figures": {"mic": True, "path": "udp", "up": 2100}})
    check("a check of devices is kept", status == 200, answer)
    _, board = ask(s, "GET", api + "/ready", link)
    check("staff sees it by person", board["ready"][person_id]["figures"]["path"] == "udp", board)
    status, mine = ask(s, "GET", api + "/export", token)
    text = json.dumps(mine, ensure_ascii=False)
    check("one gets all there is about oneself", status == 200 and NAMES[0] in text
          and "Bonjour à tous" in text and "J'étais là" in text and "udp" in text)
    check("and nothing about others", NAMES[1] not in text and other_id not in text)
    status, _ = ask(s, "GET", api + f"/export?person={other_id}", token)
    check("not even when asked for", status == 403, status)
    status, _ = ask(s, "GET", api + "/export", s.link(class_id)["link"])
    check("a link of nobody exports nothing", status == 422, status)
    status, answer = ask(s, "POST", api + "/forget", link, {"person": person_id})
    check("staff erases a person", status == 200, answer)
    _, sheet = ask(s, "GET", api + "/attendance", link)
    rows = {p["person"]: p for p in sheet["sheet"]["people"]}
    check("the name is gone, the counts are not", rows[person_id]["name"] == ""
          and rows[person_id]["present_ms"] > 0 and len(rows) == 4, rows[person_id])
    check("and the seal still holds", sheet["intact"] and sheet["sheet"]["holds"])
    _, seen = ask(s, "GET", api + "/after", link)
    check("the words are gone too", seen["chat"][0]["text"] == "" and seen["chat"][0]["name"] == "",
          seen["chat"])
    status, kept = ask(s, "GET", api + "/kept", link)
    check("one page says what is kept", status == 200 and (kept["erased"], kept["sealed"],
                                                           kept["records"]) == (1, 1, 3), kept)


def groups(s):
    """The reports of workshops outlive the session: for staff, for their members, as a file."""
    class_id = s.make_class("Groupes")
    links = {role: s.link(class_id, role)["link"] for role in ("host", "participant")}
    host, _ = enter(s, links["host"], "Claire")
    entered = [enter(s, links["participant"], name) for name in NAMES[:2]]
    tokens = [c.type("door")["guest"] for c, _ in entered]
    ids = [snapshot["you"]["person"] for _, snapshot in entered]
    host.answer(host.send("workshop.create", title="Matinée", names=["Table A", "Table B"]))
    host.send("sync", have=0)
    one = host.wait(lambda m: m["t"] == "snapshot" and m["workshops"])["workshops"][0]
    rooms = [r["id"] for r in one["rooms"]]
    host.answer(host.send("workshop.room.change", room=rooms[0], task="Relire la page 12"))
    host.answer(host.send("workshop.change", set=one["id"], notice=0, closing=0))
    for person, room in zip(ids, rooms):
        host.answer(host.send("workshop.place", set=one["id"], person=person, room=room))
    host.answer(host.send("workshop.open", set=one["id"]))
    for (c, _), text in zip(entered, ("Page lue", "Rien ici")):
        c.event("room.set", timeout=30)
        c.answer(c.send("chat.send", text=text))
    time.sleep(0.05)  # whoever was there for no time at all was not there
    host.answer(host.send("workshop.close"))
    host.answer(host.send("session.end"))
    for c, _ in entered:
        c.wait_closed()
    api = f"/api/classes/{class_id}/groups"
    _, all_of = ask(s, "GET", api, links["host"])
    a = next(g for g in all_of["groups"] if g["name"] == "Table A")
    check("staff reads every report: title, task, people with times, words",
          len(all_of["groups"]) == 2 and (a["title"], a["task"]) == ("Matinée", "Relire la page 12")
          and a["people"][0]["name"] == NAMES[0] and len(a["people"][0]["stays"]) == 1
          and 0 < a["people"][0]["stays"][0][0] <= a["people"][0]["stays"][0][1]
          and [c["text"] for c in a["chat"]] == ["Page lue"], all_of)
    status, own = ask(s, "GET", api, tokens[1])
    check("a member reads that of his room and no other", status == 200
          and [g["name"] for g in own["groups"]] == ["Table B"]
          and "Page lue" not in json.dumps(own), own)
    status, _ = ask(s, "GET", api, s.link(class_id)["link"])
    check("nobody in particular reads none", status == 404, status)
    status, text = ask(s, "GET", api + "?as=text&lang=fr&zone=Europe/Paris", links["host"])
    words = text.decode() if isinstance(text, bytes) else str(text)
    check("they are exported as a text", status == 200 and "# Groupes" in words
          and "## Matinée, Table A" in words and "Relire la page 12" in words
          and "Page lue" in words and NAMES[1] in words, words[:400])
    again, _ = enter(s, links["host"], "Claire")
    again.answer(again.send("workshop.publish", room=rooms[0], scope="all"))
    again.answer(again.send("leave"))
    sessions = ask(s, "GET", f"/api/classes/{class_id}/attendance", links["host"])[1]["sessions"]
    _, own = ask(s, "GET", api + f"?session={sessions[0]['session']}", tokens[1])
    check("one that was published is for all", len(own["groups"]) == 2, own)


def minutes(s):
    """The minutes: what was noted, who spoke in which order; as data and as a text to complete."""
    class_id = s.make_class("Tour", "round-table")
    links = {role: s.link(class_id, role)["link"] for role in ("host", "participant")}
    host, _ = enter(s, links["host"], "Claire")
    one, mine = enter(s, links["participant"], NAMES[0])
    two, other = enter(s, links["participant"], NAMES[1])
    host.answer(host.send("floor.mode", mode="moderated"))
    host.answer(host.send("floor.give", person=mine["you"]["person"]))
    one.answer(one.send("floor.done"))
    host.answer(host.send("floor.list", person=other["you"]["person"]))
    two.answer(two.send("floor.pass"))
    host.answer(host.send("floor.give", person=other["you"]["person"], reply=True))
    host.answer(host.send("floor.take", how="done"))
    for kind, text in (("decision", "Adopté à l'unanimité"), ("task", "Écrire au maire"),
                       ("point", "À retirer")):
        host.answer(host.send("minute.note", kind=kind, text=text))
    host.send("sync", have=0)
    line = host.wait(lambda m: m["t"] == "snapshot" and len(m["minutes"]) == 3)["minutes"][2]["id"]
    host.answer(host.send("minute.strike", minute=line))
    token = one.type("door")["guest"]
    time.sleep(0.05)  # whoever was there for no time at all was not there
    host.answer(host.send("session.end"))
    one.wait_closed()
    api = f"/api/classes/{class_id}/minutes"
    _, all_of = ask(s, "GET", api, links["host"])
    turns = [(t["name"], t["reply"], t["how"]) for t in all_of["turns"]]
    check("the minutes have the order of those who spoke", turns == [
        (NAMES[0], False, "done"), (NAMES[1], False, "passed"), (NAMES[1], True, "done")], all_of)
    check("and what was noted, without what was taken out",
          [(n["kind"], n["text"]) for n in all_of["notes"]] == [
              ("decision", "Adopté à l'unanimité"), ("task", "Écrire au maire")], all_of)
    status, own = ask(s, "GET", api, token)
    check("whoever was there reads them", status == 200 and len(own["turns"]) == 3, own)
    status, _ = ask(s, "GET", api, s.link(class_id)["link"])
    check("nobody in particular reads none", status == 404, status)
    status, text = ask(s, "GET", api + "?as=text&lang=fr&zone=Europe/Paris", links["host"])
    words = text.decode() if isinstance(text, bytes) else str(text)
    check("they are a text to complete", status == 200 and "# Tour, compte rendu" in words
          and "## Décisions" in words and "Adopté à l'unanimité" in words
          and "À retirer" not in words and "(à compléter)" in words
          and "droit de réponse" in words and "a passé son tour" in words
          and f"- {NAMES[1]}" in words, words)


def tampered(s, class_id):
    """One byte of the database changed while nobody looks."""
    path = os.path.join(s.data, "amphi.db")
    db = sqlite3.connect(path)
    ours = db.execute("SELECT id FROM class ORDER BY number").fetchone()[0]
    rows = db.execute("SELECT seq, blob FROM journal WHERE class = ? ORDER BY seq",
                      (ours,)).fetchall()
    seq, data = rows[len(rows) // 3]
    changed = bytearray(data)
    changed[12 + 7] ^= 1  # last byte of the stamp: a millisecond
    db.execute("UPDATE journal SET blob = ? WHERE class = ? AND seq = ?",
               (bytes(changed), ours, seq))
    db.commit()
    code, _, err = s.cli("attendance", class_id, "--verify")
    check("one changed bit of the journal breaks the seal", code == 1 and "broken" in err, err)
    db.execute("UPDATE journal SET blob = ? WHERE class = ? AND seq = ?", (data, ours, seq))
    db.commit()
    db.close()
    code, out, _ = s.cli("attendance", class_id, "--verify")
    check("put back, it holds again", code == 0, out)


def evidence():
    with Server() as s:
        code, out, err = s.cli("class", "create", "Journée de formation",
                               "--attendance-share", "1", "--json")  # however slow people come
        assert code == 0, err
        class_id = json.loads(out)["class"]
        host_link = s.link(class_id, "host")["link"]
        host, _ = enter(s, host_link, "Claire Fontaine")
        link = s.link(class_id)["link"]
        entered = [enter(s, link, name) for name in NAMES[:3]]
        people = [c for c, _ in entered]
        token = people[0].type("door")["guest"]
        person_id = live(s, class_id, host_link, token, people[0], entered[0][1])
        people[0].answer(people[0].send("chat.send", text="Bonjour à tous"))
        checked(host, people)
        host.answer(host.send("session.end"))
        for p in people:
            p.wait_closed()
        after(s, class_id, host_link, token, person_id)
        remains(s, class_id, host_link, token, person_id, entered[1][1]["you"]["person"])
        groups(s)
        minutes(s)
        s.stop()
        tampered(s, class_id)


def signed_in():
    """The same by the session of whoever prepared the class, with a roster."""
    with Server("--mail.from", "classes@example.org") as s:
        t_accounts.ready(s)
        claire = t_accounts.first_admin(s)
        start = int(time.time() * 1000) + 5 * 60000
        _, made = claire.ask("POST", "/api/classes", t_accounts.plan(
            starts=[start], settings={"attendance-minutes": 0, "attendance-share": 1}, minutes=5))
        c = made["classes"][0]
        roster = "Nom;Courriel\nÉmile;emile@example.org\nZoé;zoe@example.org\n"
        claire.ask("POST", f"/api/classes/{c}/roster?apply=1", roster, t_accounts.CSV)
        people = claire.ask("GET", f"/api/classes/{c}/people")[1]["people"]
        emile = next(p["person"] for p in people if p["name"] == "Émile")
        token = claire.ask("POST", f"/api/classes/{c}/people/{emile}/link")[1]["token"]
        _, made = claire.ask("POST", "/api/classes", t_accounts.plan(
            title="Sans attente", starts=[start], settings={"attendance-provisional": 0}))
        soon = made["classes"][0]
        hurried, _ = enter(s, s.link(soon, "host")["link"], "Claire")
        hurried.send("session.start")
        hurried.answer(hurried.send("session.end"))
        host, _ = enter(s, s.link(c, "host")["link"], "Claire")
        host.send("session.start")
        guest, snapshot = enter(s, token, "Émile")
        check("a personal link is the person of the roster", snapshot["you"]["person"] == emile)
        path = f"/api/classes/{c}/attendance"

        def sheet_of(class_path):
            """The sheet, or nothing yet: a server at work may say that it is busy."""
            status, body = claire.ask("GET", class_path + "?again=1")
            return body["sheet"] if status == 200 else {"people": [], "sealed": False}

        def long_enough():
            rows = sheet_of(path)["people"]
            return any(r["person"] == emile and r["status"] == "present" for r in rows)
        check("present once one has been there long enough", wait_for(long_enough, 60, 0.2))
        host.answer(host.send("session.end"))
        guest.wait_closed()
        status, seen = claire.ask("GET", path)
        rows = {p["name"]: p for p in seen["sheet"]["people"]}
        check("who was invited and did not come is absent",
              status == 200 and rows["Zoé"]["status"] == "absent" and rows["Zoé"]["expected"], rows)
        unsealed = lambda: next(r["unsealed"] for r in claire.ask("GET", "/api/classes")[1]["classes"]
                                if r["id"] == c)
        check("the list says that a sheet is to be sealed", unsealed() == 1, unsealed())
        before = set(glob.glob(f"{s.data}/mail/queue/*"))
        status, _ = claire.ask("POST", path + "/seal", {})
        mails = [open(m, encoding="utf-8").read() for m in
                 set(glob.glob(f"{s.data}/mail/queue/*")) - before]
        check("sealing writes to whoever was present, once", status == 200 and len(mails) == 1
              and "emile@example.org" in mails[0], len(mails))
        check("and no longer once it is", unsealed() == -1, unsealed())
        status, pdf = ask(s, "GET", path + "/file?kind=certificate", token)
        check("his link opens his certificate", status == 200 and pdf[:5] == b"%PDF-", status)
        s.look()
        sealed = wait_for(lambda: sheet_of(f"/api/classes/{soon}/attendance")["sealed"], 180, 0.5)
        check("a sheet that is no longer provisional is sealed by itself", sealed)
        _, entries = claire.ask("GET", "/api/audit")
        actions = {e["action"] for e in entries["entries"]}
        check("who saw and sealed it is written down",
              {"attendance.read", "attendance.sealed"} <= actions, actions)


def run():
    signed_in()
    evidence()
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
        papers(s, class_id)
        spreadsheet(s, class_id)

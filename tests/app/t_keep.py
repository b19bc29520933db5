"""What is kept and for how long, on a clock that is moved; limits that change while the server runs,
whoever finds no seat; words of mails; numbers of a training register from the roster to the sheet."""
import glob
import json
import os
import subprocess
import time

import t_accounts
from harness import Closed, Server, check, enter, wait_for
from t_accounts import CSV, Browser

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = 86400


def later(folder):
    """The preloaded clock, built beside the server's data."""
    out = os.path.join(folder, "later.so")
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", out,
                    os.path.join(HERE, "later.c"), "-ldl"], check=True)
    return out


def again(s, library, days):
    """The same server, so many days ahead; an administrator signed in to it."""
    s.stop()
    s.env["LD_PRELOAD"] = library
    s.env["LATER_S"] = str(days * DAY)
    s.start()
    t_accounts.ready(s)
    ada = Browser(s)
    status, body = ada.sign_in("ada@example.org")
    assert status == 200, body
    return ada


def written(ada, action):
    entries = ada.ask("GET", f"/api/audit?find={action}")[1].get("entries", [])
    return [e for e in entries if e["action"] == action]


def numbers(ada, c):
    """From the CSV to the roster, with what is wrong row by row."""
    bad = ("Nom;Courriel;Matricule\nA;a@example.org;=1+1\nB;b@example.org;G-7\nC;c@example.org;G-7\n"
           f"D;d@example.org;{'9' * 65}\n")
    status, body = ada.ask("POST", f"/api/classes/{c}/roster?apply=1&lang=en", bad, CSV)
    found = {p["line"]: p["problem"] for p in body.get("problems", [])}
    check("register numbers: what is wrong is said row by row, nothing is taken",
          status == 422 and set(found) == {2, 4, 5} and "letter or a digit" in found[2]
          and "earlier row" in found[4] and "64" in found[5]
          and ada.ask("GET", f"/api/classes/{c}/people")[1]["people"] == [], body)
    good = "Nom;Courriel;Matricule\nÉmile;emile@example.org;2026-0417\nZoé;zoe@example.org;2026-0418\n"
    status, body = ada.ask("POST", f"/api/classes/{c}/roster", good, CSV)
    check("the preview shows them", status == 200 and [r["number"] for r in body["sample"]]
          == ["2026-0417", "2026-0418"], body)
    ada.ask("POST", f"/api/classes/{c}/roster?apply=1", good, CSV)
    people = {p["name"]: p for p in ada.ask("GET", f"/api/classes/{c}/people")[1]["people"]}
    check("the roster has them", people["Zoé"]["number"] == "2026-0418", people)
    ada.ask("POST", f"/api/classes/{c}/roster?apply=1", "Nom;Courriel\nZoé B.;zoe@example.org\n", CSV)
    zoe = people["Zoé"]["person"]
    status, body = ada.ask("PATCH", f"/api/classes/{c}/people/{zoe}",
                           {"name": "Zoé", "number": "2026-0417"})
    check("two people of a class never have the same", (status, body["error"])
          == (422, "number_twice"), body)
    people = {p["name"]: p for p in ada.ask("GET", f"/api/classes/{c}/people")[1]["people"]}
    check("a file without the column leaves them", people["Zoé B."]["number"] == "2026-0418", people)
    return people["Émile"]["person"], zoe


def day(s, ada, c, emile):
    """Émile comes and writes; Zoé does not come."""
    token = ada.ask("POST", f"/api/classes/{c}/people/{emile}/link")[1]["token"]
    host, _ = enter(s, s.link(c, "host")["link"], "Claire")
    host.answer(host.send("session.start"), 60)
    guest, _ = enter(s, token, "Émile")
    guest.answer(guest.send("chat.send", text="Bonjour à tous"), 60)
    ada.ask("GET", f"/api/classes/{c}/attendance")  # whoever is expected stands on it
    host.answer(host.send("session.end"), 60)
    guest.wait_closed(60)
    sheet = wait_for(lambda: closed_sheet(ada, c), 60)
    rows = {p["name"]: p for p in sheet["people"]}
    check("the sheet has the numbers, also of who did not come",
          rows["Émile"]["number"] == "2026-0417" and rows["Zoé B."]["number"] == "2026-0418",
          {n: r["number"] for n, r in rows.items()})
    status, text = ada.ask("GET", f"/api/classes/{c}/attendance/file?kind=csv&lang=fr")
    check("so has the file", status == 200 and "2026-0417" in text and "2026-0418" in text, status)


def closed_sheet(ada, c):
    status, body = ada.ask("GET", f"/api/classes/{c}/attendance?again=1")
    sheet = body.get("sheet") if status == 200 else None
    return sheet if sheet and body["sessions"][-1]["closed"] else None


def sealed_sheet(ada, c):
    sheet = closed_sheet(ada, c)
    return sheet if sheet and sheet["sealed"] else None


def periods(ada, claire, c):
    status, body = ada.ask("GET", "/api/keep")
    rows = {r["what"]: r for r in body["rows"]}
    check("every period has its bounds", status == 200 and set(rows)
          == {"words", "roster", "people", "mails", "audit"}
          and all(r["least"] <= r["days"] <= r["most"] for r in rows.values()), rows)
    check("the defaults are the administrator's", claire.ask("GET", "/api/keep")[0] == 403
          and claire.ask("PATCH", "/api/keep", {"words": 10})[0] == 403)
    status, body = ada.ask("PATCH", "/api/keep", {"people": 3, "words": 20})
    check("out of bounds is refused with the bounds, nothing is taken", status == 422
          and body["what"] == "people" and body["least"] == 30
          and ada.ask("GET", "/api/keep")[1]["rows"][0]["days"] == 365, body)
    check("a class cannot set what is the server's",
          ada.ask("PATCH", f"/api/classes/{c}/keep", {"audit": 100})[0] == 422)
    ada.ask("PATCH", "/api/keep", {"words": 20, "audit": 90})
    status, body = ada.ask("PATCH", f"/api/classes/{c}/keep",
                           {"words": 2, "roster": 40, "people": 60})
    rows = {r["what"]: r for r in body["rows"]}
    check("a class has its own", status == 200 and rows["words"]["days"] == 2 and rows["words"]["own"]
          and rows["words"]["usual"] == 20, rows)
    status, body = claire.ask("PATCH", f"/api/classes/{c}/keep", {"words": 3})
    check("which its trainer sees and does not change", status == 403
          and claire.ask("GET", f"/api/classes/{c}/keep")[0] in (200, 404), status)


def time_passes(s, c, library):
    mail = os.path.join(s.data, "mail", "sent", "place-abc.eml")
    with open(mail, "w", encoding="utf-8") as f:
        f.write("X-Amphi-From: a@b\nX-Amphi-To: c@d\n\n")
    ada = again(s, library, 1)
    _, after = ada.ask("GET", f"/api/classes/{c}/after")
    check("a day later what was written is there", after["chat"][0]["text"] == "Bonjour à tous"
          and os.path.exists(mail), after)
    ada = again(s, library, 4)
    check("4 days later what was written is gone, and that is written down",
          wait_for(lambda: written(ada, "kept.words"), 60) is not None)
    _, after = ada.ask("GET", f"/api/classes/{c}/after")
    sheet = closed_sheet(ada, c)
    check("names and numbers are there", after["chat"][0]["text"] == ""
          and after["chat"][0]["name"] == "Émile"
          and {p["name"] for p in sheet["people"]} >= {"Émile", "Zoé B."}, (after, sheet))
    ada = again(s, library, 45)
    check("45 days later the roster is gone, and sent mails",
          wait_for(lambda: written(ada, "kept.roster") and written(ada, "kept.mails"), 60)
          and ada.ask("GET", f"/api/classes/{c}/people")[1]["total"] == 0
          and not os.path.exists(mail))
    sheet = wait_for(lambda: sealed_sheet(ada, c), 180, 0.5) or closed_sheet(ada, c)
    check("the sheet still has its names and is sealed by now", sheet["sealed"] and sheet["holds"]
          and {p["name"] for p in sheet["people"]} >= {"Émile", "Zoé B."}, sheet)
    minutes = sorted(p["present_ms"] for p in sheet["people"])
    ada = again(s, library, 65)
    check("65 days later the names are gone", wait_for(lambda: written(ada, "kept.people"), 60))
    status, body = ada.ask("GET", f"/api/classes/{c}/attendance")
    sheet = body["sheet"]
    check("counts are the same and the seal holds", body["intact"] and sheet["holds"]
          and all(p["name"] == "" and p["number"] == "" for p in sheet["people"])
          and sorted(p["present_ms"] for p in sheet["people"]) == minutes, sheet)
    with open(os.path.join(s.data, "amphi.db"), "rb") as f:
        data = f.read()
    check("nothing of it stands in the file", "Émile".encode() not in data
          and b"2026-0417" not in data and "Bonjour à tous".encode() not in data)
    ada = again(s, library, 200)
    check("200 days later the log of those days is gone",
          wait_for(lambda: written(ada, "kept.audit"), 60)
          and not written(ada, "keep.changed") and not written(ada, "roster.imported"))
    return ada


def retention():
    with Server("--mail.from", "classes@example.org") as s:
        t_accounts.ready(s)
        ada = t_accounts.first_admin(s)
        claire = t_accounts.add_account(s, ada, "Claire", "claire@example.org")
        start = int(time.time() * 1000) + 5 * 60000
        c = ada.ask("POST", "/api/classes", t_accounts.plan(starts=[start], minutes=5, settings={
            "attendance-minutes": 0, "attendance-share": 1}))[1]["classes"][0]
        emile, _ = numbers(ada, c)
        day(s, ada, c, emile)
        periods(ada, claire, c)
        time_passes(s, c, later(s.folder))


def thrown_away(ada, c):
    """Erasure of one person takes mails to him too."""
    status, body = ada.ask("POST", f"/api/classes/{c}/people",
                           {"name": "Karim", "mail": "karim@example.org", "number": "K1"})
    karim = body["person"]
    ada.ask("POST", f"/api/classes/{c}/invite", {"since": 1})
    _, mine = ada.ask("GET", f"/api/classes/{c}/export?person={karim}")
    check("the copy of one person's data has his row, mails to him and who looked",
          mine["roster"]["mail"] == "karim@example.org" and mine["roster"]["number"] == "K1"
          and len(mine["mails"]) == 1 and any(e["action"] == "roster.added" for e in mine["seen"]),
          mine)
    status, _ = ada.ask("POST", f"/api/classes/{c}/forget", {"person": karim})
    log = json.dumps(ada.ask("GET", "/api/audit?find=roster")[1])
    check("erasing takes row, mails and address", status == 200 and "karim@example.org" not in log
          and ada.ask("GET", f"/api/classes/{c}/people")[1]["total"] == 0)


def words(s, ada, claire, c):
    path = "/api/templates/invitation/fr"
    status, body = ada.ask("GET", path)
    check("the words of a mail, and what may stand in them", status == 200 and not body["own"]
          and {"{name}", "{title}", "{start}", "{link}", "{server}"} == set(body["keys"]), body)
    check("are the administrator's", claire.ask("GET", path)[0] == 403
          and claire.ask("PATCH", path, {"text": "x"})[0] == 403)
    text = "Venez, {nom}\nBonjour {name\n{text} \u0001\n"
    status, body = ada.ask("PATCH", path, {"text": text})
    found = [(p["line"], p["column"], p["word"]) for p in body["problems"]]
    check("every mistake is named by its place", status == 422 and found
          == [(1, 8, "unknown"), (2, 9, "open"), (3, 1, "nothing"), (3, 8, "control"),
              (4, 1, "missing")], found)
    text = "Venez : {title}\nBonjour {name},\n<b>&</b> {link}\n"
    status, body = ada.ask("POST", path + "/preview", {"text": text})
    check("the preview has sample data", status == 200 and body["problems"] == []
          and body["subject"].startswith("Venez : ") and "Camille" in body["body"], body)
    check("they are kept", ada.ask("PATCH", path, {"text": text})[0] == 200
          and ada.ask("GET", path)[1]["own"])
    ada.ask("POST", f"/api/classes/{c}/people", {"name": "Lise", "mail": "lise@example.org"})
    ada.ask("POST", f"/api/classes/{c}/invite", {"since": 1})
    import email
    import email.policy
    found = [email.message_from_bytes(open(m, "rb").read().split(b"\n", 2)[2],
                                      policy=email.policy.default)
             for m in glob.glob(f"{s.data}/mail/queue/*")
             if b"lise@example.org" in open(m, "rb").read()]
    check("the next mail has them", found and str(found[0]["subject"]).startswith("Venez : ")
          and "<b>&</b>" in found[0].get_body(("plain",)).get_content(), found and found[0]["subject"])
    check("the shipped ones come back", ada.ask("DELETE", path)[0] == 200
          and not ada.ask("GET", path)[1]["own"])
    check("no other file can be reached", ada.ask("GET", "/api/templates/..%2Fkeys/fr")[0] == 404
          and ada.ask("PATCH", "/api/templates/secret/fr", {"text": text})[0] == 404)


def seats(s, ada, claire):
    status, body = ada.ask("GET", "/api/limits")
    names = {l["name"]: l for l in body["limits"]}
    check("limits are on one page", status == 200 and names["people"]["live"]
          and not names["connections"]["live"] and names["people_per_class"]["used"] == 0, names)
    check("for administrators", claire.ask("GET", "/api/limits")[0] == 403
          and claire.ask("PATCH", "/api/limits", {"people": 1})[0] == 403)
    status, body = ada.ask("PATCH", "/api/limits", {"people_per_class": 1})
    check("within bounds", status == 422 and body["least"] == 2, body)
    check("what the configuration fixes is not changed here",
          ada.ask("PATCH", "/api/limits", {"connections": 100})[0] == 422)
    c = s.make_class("Pleine")
    link = s.link(c)["link"]
    ada.ask("PATCH", "/api/limits", {"people_per_class": 2, "mails_per_hour": 100})
    one, _ = enter(s, link, "Un")
    two, _ = enter(s, link, "Deux")
    three = no_seat(s, link)
    check("a full class says so", three["code"] == "full" and three.get("at", "") == "", three)
    ada.ask("PATCH", "/api/limits", {"people_per_class": None, "people": 2})
    three = no_seat(s, link)
    check("a full server says that it is the server", three["code"] == "full"
          and three["at"] == "server", three)
    host, _ = enter(s, s.link(c, "host")["link"], "Claire")
    check("its trainer enters all the same", host is not None)
    ada.ask("PATCH", "/api/limits", {"people": 0, "classes_at_once": 1})
    other = s.make_class("Une autre")
    three = no_seat(s, s.link(other)["link"])
    check("one class too many is told likewise", three["code"] == "full", three)

    def told():
        rows = ada.ask("GET", "/api/limits")[1]["refused"]
        return rows if {r["why"] for r in rows} == {"class", "seats", "classes"} else None
    check("administrators see who found no seat", wait_for(told, 60) is not None,
          ada.ask("GET", "/api/limits")[1]["refused"])
    mails = glob.glob(f"{s.data}/mail/queue/*full-*")
    check("one mail tells them, not three", len(mails) == 1
          and "ada@example.org" in open(mails[0], encoding="utf-8").read(), mails)
    with open(f"{s.data}/mail/per-hour", encoding="utf-8") as f:
        check("the mailer knows its limit", f.read().strip() == "100")
    ada.ask("PATCH", "/api/limits", {"classes_at_once": None})
    four, _ = enter(s, s.link(other)["link"], "Quatre")
    check("and with the limit gone one enters", four is not None)
    for page in (one, two, host, four):
        page.close()


def no_seat(s, link):
    """What somebody hears who tries to enter."""
    try:
        page, snapshot = enter_or_refused(s, link)
        page.close()
        return snapshot
    except Closed as closed:
        return {"code": closed.reason}


def enter_or_refused(s, link):
    from harness import Client
    page = Client(s.port)
    page.send("hello", v=1, lang="en", link=link)
    page.type("door", 60)
    page.send("join", name="Trois", mic=False, cam=False)
    return page, page.wait(lambda m: m["t"] in ("snapshot", "error"), 60)


def run():
    with Server("--mail.from", "classes@example.org") as s:
        t_accounts.ready(s)
        ada = t_accounts.first_admin(s)
        claire = t_accounts.add_account(s, ada, "Claire", "claire@example.org")
        c = ada.ask("POST", "/api/classes", t_accounts.plan())[1]["classes"][0]
        thrown_away(ada, c)
        words(s, ada, claire, c)
        seats(s, ada, claire)
    retention()

"""Every request the office knows (the tables in server/app), made by those who have no business
there: strangers, a trainer of another class, links of another class (S26, S27). A new row is taken
up by itself."""
import glob
import os
import re

from harness import HERE, Server, check
from t_accounts import PASSWORD, Browser, ready

APP = os.path.join(os.path.dirname(os.path.dirname(HERE)), "server", "app")
# In our words, not the table's: a row that forgets it is found.
ADMINISTRATION = ("accounts", "audit", "keep", "limits", "mails", "templates")
ROW = re.compile(r'\{IPC_(\w+), "(/api/[^"]+)", OFFICE_(\w+),')


def routes():
    found = set()
    for name in glob.glob(os.path.join(APP, "office_*.c")):
        with open(name, encoding="utf-8") as f:
            found.update(ROW.findall(f.read()))
    return sorted(found)


def trainer(server, admin, name):
    mail = name + "@example.org"
    token = admin.ask("POST", "/api/accounts", {"name": name, "mail": mail, "admin": False,
                                                "lang": "en"})[1]["token"]
    b = Browser(server)
    b.ask("POST", "/api/welcome", {"token": token, "password": PASSWORD, "name": name,
                                   "lang": "en"})
    return b


def class_of(browser, title):
    return browser.ask("POST", "/api/classes", {"title": title, "type": "standard"})[1]["classes"][0]


def refused(server, rows, who, fill):
    """Each row asked by each of them: what was not refused."""
    wrong = []
    for method, path, _ in rows:
        asked = fill(path) + ("?person=" + fill("*") if path.endswith("/export") else "")
        for name, browser, headers in who:
            data = {} if method in ("POST", "PATCH") else None
            status, body = browser.ask(method, asked, data, headers)
            if status not in (401, 403, 404):
                wrong.append(f"{name}: {method} {path} {status} {str(body)[:80]}")
    return wrong


def run():
    with Server("--mail.from", "classes@example.org") as s:
        ready(s)
        admin = Browser(s)
        token = re.search(r"/welcome#(\S+)", s.out())[1]
        admin.ask("POST", "/api/welcome", {"token": token, "name": "Ada", "password": PASSWORD,
                                           "mail": "ada@example.org", "lang": "en"})
        ben, cleo = trainer(s, admin, "ben"), trainer(s, admin, "cleo")
        mine, other = class_of(ben, "Ben's"), class_of(cleo, "Cleo's")
        person = ben.ask("POST", f"/api/classes/{mine}/people",
                         {"name": "Paul", "mail": "paul@example.org"})[1]["person"]
        before = ben.ask("GET", f"/api/classes/{mine}/people")

        def link(role):
            return {"Authorization": "Bearer " + s.link(other, role)["link"].split("#")[-1]}

        who = [("nobody", Browser(s), {}), ("a trainer of another class", cleo, {}),
               ("a host's link of another class", Browser(s), link("host")),
               ("a participant's link of another class", Browser(s), link("participant"))]
        rows = [r for r in routes() if "/classes/*" in r[1]]
        wrong = refused(s, rows, who,
                        lambda p: p.replace("/classes/*", "/classes/" + mine).replace("*", person))
        check("S26 S27 what belongs to a class is refused to whoever does not",
              len(rows) > 30 and not wrong, wrong or f"{len(rows)} rows, {len(who)} people")
        rows = [r for r in routes() if r[1].split("/")[2] in ADMINISTRATION]
        wrong = refused(s, rows, [("a trainer", ben, {})], lambda p: p.replace("*", person))
        check("S26 what is for administrators is refused to a trainer", len(rows) > 15 and not wrong,
              wrong or f"{len(rows)} rows")
        check("S26 and nothing has changed", ben.ask("GET", f"/api/classes/{mine}/people") == before)
        check("S26 those whom it belongs to are not refused",
              ben.ask("GET", f"/api/classes/{mine}")[0] == 200
              and admin.ask("GET", "/api/accounts")[0] == 200)

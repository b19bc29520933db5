"""Invitations from a roster to a mailbox: a small mail server that can be slow, refuse or hang up,
and the calendar part read by a library of its own (python3-icalendar of the system)."""
import email
import email.policy
import json
import os
import re
import socketserver
import subprocess
import threading

from harness import Server, check, enter, wait_for

ROSTER = "Nom;Courriel;Rôle;Groupe\nClaire Fontaine;claire@example.org;animatrice;A\n" \
         "Łukasz «le Grand» Besançon;lukasz@example.org;;B\n"
READ_ICS = "import sys,json,icalendar\n" \
    "c=icalendar.Calendar.from_ical(sys.stdin.read())\n" \
    "e=[x for x in c.walk() if x.name=='VEVENT'][0]\n" \
    "print(json.dumps(dict(method=str(c['METHOD']),uid=str(e['UID']),seq=int(e['SEQUENCE'])," \
    "status=str(e['STATUS']),title=str(e['SUMMARY']),start=e['DTSTART'].dt.isoformat()," \
    "end=e['DTEND'].dt.isoformat(),url=str(e['URL']),to=str(e['ATTENDEE']))))"


class Mailbox:
    """RFC 5321 as far as a client that only sends needs it. mood: ok, refuse, later, drop (hangs up
    in the middle), mute (takes the mail and hangs up before it says so), hold (says nothing until
    let_go)."""

    def __init__(self):
        self.mails, self.mood, self.tries, self.waiting = [], "ok", 0, 0
        self.gate = threading.Event()
        box = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def data(self):
                lines = []
                for line in self.rfile:
                    if line == b".\r\n":
                        break
                    lines.append(line[1:] if line.startswith(b"..") else line)
                    if box.mood == "drop":
                        return False
                box.mails.append((self.to, b"".join(lines)))
                return box.mood != "mute"

            def handle(self):
                box.tries += 1
                if box.mood == "hold":
                    box.waiting += 1
                    box.gate.wait()
                self.say("220 box ESMTP")
                for raw in self.rfile:
                    word = raw.decode().strip().upper()
                    if word.startswith("EHLO"):
                        self.say("250 box")
                    elif word.startswith("RCPT"):
                        self.to = re.search(r"<(.*)>", raw.decode()).group(1)
                        self.say({"refuse": "550 no such person", "later": "451 not now"}
                                 .get(box.mood, "250 ok"))
                    elif word == "DATA":
                        self.say("354 go on")
                        if not self.data():
                            return
                        self.say("250 taken")
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def let_go(self):
        self.waiting = 0
        self.gate.set()
        self.gate = threading.Event()


def parsed(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def calendar(mail):
    part = [p for p in mail.walk() if p.get_content_type() == "text/calendar"][0]
    text = part.get_content()
    long = [l for l in text.split("\r\n") if len(l.encode()) > 75]
    check("calendar lines are folded", not long, long[:1])
    done = subprocess.run(["/usr/bin/python3", "-c", READ_ICS], input=text, capture_output=True,
                          text=True, check=False)
    check("a calendar library reads the appointment", done.returncode == 0, done.stderr[-200:])
    return json.loads(done.stdout or "{}"), part.get_param("method")


def names(s, folder):
    try:
        return sorted(os.listdir(os.path.join(s.data, "mail", folder)))
    except FileNotFoundError:
        return []


def write(s, name, text, encoding="utf-8"):
    path = os.path.join(s.folder, name)
    with open(path, "w", encoding=encoding) as f:
        f.write(text)
    return path


def bad_rosters(s, class_id):
    bad = write(s, "bad.csv", ROSTER + "=cmd();x@example.org\nBob;bob@\nEve;CLAIRE@example.org\n")
    code, out, err = s.cli("invite", class_id, "--csv", bad, "--send")
    lines = err.strip().splitlines()
    check("each bad row is named with its line", code == 1 and [l.split(":")[1] for l in lines[:3]]
          == ["4", "5", "6"], lines)
    check("and nobody was invited", names(s, "queue") == [] and names(s, "sent") == [])
    latin = write(s, "latin.csv", "René;rene@example.org\n", "latin-1")
    code, _, err = s.cli("invite", class_id, "--csv", latin)
    check("a wrong encoding is said", code == 1 and "UTF-8" in err, err.strip())
    code, out, _ = s.cli("invite", class_id, "--csv", write(s, "good.csv", ROSTER))
    check("without --send it only shows what would be", code == 0 and "Claire" in out
          and names(s, "queue") == [])
    code, _, err = s.cli("invite", class_id, "--csv", os.path.join(s.folder, "good.csv"), "--send",
                         "--start", "2026-02-31T10:00")
    check("a day that is none is refused", code == 64, err.strip())


def invitation(s, box, class_id):
    path = os.path.join(s.folder, "good.csv")
    code, out, err = s.cli("invite", class_id, "--csv", path, "--send", "--start",
                           "2027-03-28T14:00", "--minutes", "90")
    check("a roster is invited", code == 0, out + err)
    check("each person gets one mail", wait_for(lambda: len(box.mails) == 2, 60), len(box.mails))
    mails = {to: parsed(raw) for to, raw in box.mails}
    mail = mails["lukasz@example.org"]
    check("names survive the headers", "Łukasz «le Grand» Besançon" in str(mail["To"]), mail["To"])
    text = mail.get_body(("plain",)).get_content()
    link = re.search(r"https://\S+#\S+", text)
    check("with words and a personal link", link and "28 mars 2027" in text, text[:200])
    event, method = calendar(mail)
    check("an appointment in UTC, after the clock change", method == event["method"] == "REQUEST"
          and event["start"] == "2027-03-28T12:00:00+00:00"
          and event["end"] == "2027-03-28T13:30:00+00:00", event)
    person, state = enter(s, link.group(0).split("#")[1], "Łukasz")
    check("the link opens the class", state["you"]["role"] == "participant")
    person.close()
    return event, str(mail["Message-ID"])


def changes(s, box, class_id, first, message_id):
    path = os.path.join(s.folder, "good.csv")
    for words, method, status in ((["--start", "2027-03-29T09:00"], "REQUEST", "CONFIRMED"),
                                  (["--start", "2027-03-29T09:00", "--cancel"], "CANCEL",
                                   "CANCELLED")):
        before = len(box.mails)
        # A second later: the sequence counts seconds.
        wait_for(lambda: False, 1.1)
        s.cli("invite", class_id, "--csv", path, "--send", *words)
        wait_for(lambda: len(box.mails) == before + 2, 60)
        mail = parsed([raw for to, raw in box.mails[before:] if to == "lukasz@example.org"][0])
        event, _ = calendar(mail)
        check(f"{method} replaces the same appointment", event["uid"] == first["uid"]
              and event["seq"] > first["seq"] and event["method"] == method
              and event["status"] == status, event)
        check("as a mail of its own", str(mail["Message-ID"]) != message_id)


def moods(s, box, class_id):
    path = write(s, "one.csv", "Zoé;zoe@example.org\n")
    box.mood, before = "later", box.tries
    s.cli("invite", class_id, "--csv", path, "--send")
    check("refused for the moment: it waits for its next try",
          wait_for(lambda: [n for n in names(s, "queue") if "-01-" in n], 60), names(s, "queue"))
    check("and was tried once", box.tries == before + 1, box.tries - before)
    box.mood = "drop"
    s.cli("invite", class_id, "--csv", path, "--send")
    check("a connection lost in the middle: it waits too",
          wait_for(lambda: [n for n in names(s, "queue") if "-01-" in n], 60)
          and len(names(s, "queue")) == 1, names(s, "queue"))
    box.mood = "refuse"
    s.cli("invite", class_id, "--csv", path, "--send")
    check("refused for good: set aside", wait_for(lambda: names(s, "failed"), 60)
          and names(s, "queue") == [], names(s, "failed"))
    box.mood = "ok"
    code, out, _ = s.cli("mail", "--json")
    check("amphi mail counts them", code == 0 and json.loads(out)["failed"] == 1, out.strip())


def run():
    box = Mailbox()
    mail = ["--mail.smtp", f"smtp://127.0.0.1:{box.port}", "--mail.tls", "false", "--mail.from",
            "classes@example.org"]
    with Server(*mail) as s:
        class_id = s.make_class("Évaluer; par compétences, \\ un long titre qui doit être replié")
        bad_rosters(s, class_id)
        event, message_id = invitation(s, box, class_id)
        changes(s, box, class_id, event, message_id)
        moods(s, box, class_id)
        os.kill(s.pid("mailer"), 9)
        before = len(box.mails)
        s.cli("invite", class_id, "--csv", os.path.join(s.folder, "one.csv"), "--send")
        check("a killed sender is started again and sends what waited",
              wait_for(lambda: len(box.mails) == before + 1, 60), len(box.mails) - before)
    with Server("--mail.from", "classes@example.org") as s:
        class_id = s.make_class("No mail server")
        s.cli("invite", class_id, "--csv", write(s, "good.csv", ROSTER), "--send")
        check("without a mail server they wait in the folder", len(names(s, "queue")) == 2)

"""What lasts over several mails: a class of several dates as one appointment, read by a library and
kept by a calendar program; the certificates of a sheet that was sealed just before everything died."""
import json
import os
import signal
import sqlite3
import subprocess
import time

from harness import check, enter, wait_for
from t_accounts import Browser, plan, ready
from t_letters import DAY, MINUTE, Calendar, Post, invite, make, moment, mailing, staff
from t_mail import Mailbox, names

# ---- several dates

READ_SERIES = """
import icalendar, json, sys
cal = icalendar.Calendar.from_ical(sys.stdin.read())
zones = [z for z in cal.walk('VTIMEZONE')]
for z in zones:
    z.to_tz()
out = {'method': str(cal['METHOD']), 'zones': [str(z['TZID']) for z in zones], 'events': []}
listed = lambda v: [] if v is None else v if isinstance(v, list) else [v]
for e in cal.walk('VEVENT'):
    out['events'].append({
        'uid': str(e['UID']), 'seq': int(e['SEQUENCE']), 'status': str(e['STATUS']),
        'start': str(e['DTSTART'].dt), 'rule': e['RRULE'].to_ical().decode() if 'RRULE' in e else '',
        'id': str(e['RECURRENCE-ID'].dt) if 'RECURRENCE-ID' in e else '',
        'rdates': [str(d.dt) for v in listed(e.get('RDATE')) for d in v.dts],
        'exdates': [str(d.dt) for v in listed(e.get('EXDATE')) for d in v.dts]})
print(json.dumps(out))
"""


def series_of(mail):
    part = [p for p in mail.walk() if p.get_content_type() == "text/calendar"][0]
    done = subprocess.run(["/usr/bin/python3", "-c", READ_SERIES], input=part.get_content(),
                          capture_output=True, text=True, check=False)
    check("a calendar library reads the series", done.returncode == 0, done.stderr[-200:])
    read = json.loads(done.stdout)
    check("it is one appointment, and the mail says what is to be done with it",
          len({e["uid"] for e in read["events"]}) == 1 and part.get_param("method") == read["method"],
          read)
    return read


def days(agenda):
    return [a[1] for a in agenda.shows() if a[0].strip() != "CANCELLED"]


def series(s, claire, post):
    """Four Saturdays at 14:00 in Paris, the third behind the change of clocks: invited, one moved,
    one cancelled, all an hour later, the whole cancelled."""
    who = "zoe@example.org"
    agenda = Calendar(s.folder + "/series")
    starts = [moment(13, 13), moment(20, 13), moment(27, 13), moment(28, 12) + 6 * DAY]
    more = {"together": True, "minutes": 60, "type": "standard"}
    change = lambda **now: claire.ask("PATCH", "/api/classes/" + c,
                                      plan(title="Le samedi", **{**more, **now}))
    c = make(claire, "Le samedi", starts=starts, **more)
    invite(claire, c, who)
    mail = post.one("invitation", who, "Le samedi")
    read = series_of(mail)
    check("several dates of a rule are one appointment in the time of the class",
          len(read["events"]) == 1 and read["zones"] == ["Europe/Paris"] and read["events"][0]["rule"]
          == "FREQ=WEEKLY;COUNT=4;INTERVAL=1;BYDAY=SA", read)
    agenda.takes(mail)
    fourth = "2027-04-03 14:00"
    check("a calendar program has all of them at the hour on the wall",
          days(agenda) == ["2027-03-13 14:00", "2027-03-20 14:00", "2027-03-27 14:00", fourth],
          agenda.shows())
    text = mail.get_body(("plain",)).get_content()
    check("the words say every date", text.count("à 14:00 (60 min, Europe/Paris)") == 4, text)

    starts[2] = moment(28, 8)
    status, body = change(starts=starts)
    check("one date is moved", status == 200 and body["told"] == 1, body)
    mail = post.one("dates", who, "Le samedi")
    moved = series_of(mail)
    agenda.takes(mail)
    check("it is a moved date of the series", moved["events"][0]["uid"] == read["events"][0]["uid"]
          and moved["events"][0]["seq"] > read["events"][0]["seq"]
          and [e["id"] for e in moved["events"][1:]] == ["2027-03-27 14:00:00+01:00"]
          and moved["events"][1]["start"] == "2027-03-28 10:00:00+02:00", moved)
    check("in the calendar program too",
          days(agenda) == ["2027-03-13 14:00", "2027-03-20 14:00", "2027-03-28 10:00", fourth],
          agenda.shows())
    text = mail.get_body(("plain",)).get_content()
    check("the words say from when", "Dimanche 28 mars 2027 à 10:00 (60 min, Europe/Paris), au lieu de :"
          " Samedi 27 mars 2027 à 14:00" in text, text)

    wait_for(lambda: False, 1.1)
    gone = starts.pop(1)
    check("one date is cancelled", change(starts=starts)[1]["told"] == 1, gone)
    wait_for(lambda: len(post.all("dates", who, "Le samedi")) == 2, 60)
    mail = post.all("dates", who, "Le samedi")[-1]
    left = series_of(mail)
    agenda.takes(mail)
    check("it is left out of the series", left["events"][0]["exdates"] == ["2027-03-20 14:00:00+01:00"]
          and len(left["events"]) == 2 and left["events"][0]["seq"] > moved["events"][0]["seq"], left)
    check("and of the calendar program", days(agenda)
          == ["2027-03-13 14:00", "2027-03-28 10:00", fourth], agenda.shows())
    check("the words say that it is", "- Samedi 20 mars 2027 à 14:00 : annulé"
          in mail.get_body(("plain",)).get_content())
    check("what is not a date is told to nobody", change(starts=starts, note="x")[1]["told"] == 0)

    wait_for(lambda: False, 1.1)
    change(starts=[moment(13, 14), moment(17, 9), moment(29, 14)])
    wait_for(lambda: len(post.all("dates", who, "Le samedi")) == 3, 60)
    mail = post.all("dates", who, "Le samedi")[-1]
    other = series_of(mail)
    agenda.takes(mail)
    check("dates without a rule are a list", other["events"][0]["rule"] == ""
          and other["events"][0]["rdates"] == ["2027-03-17 10:00:00+01:00", "2027-03-29 16:00:00+02:00"]
          and len(other["events"]) == 1, other)
    check("which the calendar program shows instead", days(agenda)
          == ["2027-03-13 15:00", "2027-03-17 10:00", "2027-03-29 16:00"], agenda.shows())
    token = post.link("invitation", who, "Le samedi").split("#")[1]
    own = Browser(s).ask("GET", "/api/invitation/calendar", headers={"Authorization": "Bearer " + token})
    check("the page offers the same series", own[0] == 200 and own[1].count("RDATE;TZID=Europe/Paris")
          == 2 and other["events"][0]["uid"] in own[1].replace("\r\n ", ""), own[1])

    wait_for(lambda: False, 1.1)
    claire.ask("DELETE", "/api/classes/" + c)
    mail = post.one("cancellation", who, "Le samedi")
    end = series_of(mail)
    agenda.takes(mail)
    check("the whole is cancelled by one mail", end["method"] == "CANCEL" and len(end["events"]) == 1
          and end["events"][0]["status"] == "CANCELLED" and end["events"][0]["id"] == ""
          and end["events"][0]["seq"] > other["events"][0]["seq"], end)
    check("in the calendar program as well", not days(agenda), agenda.shows())


# ---- certificates

def present(s, claire, title, *people):
    """A class that took place, with these people present; its id."""
    c = make(claire, title, starts=[int(time.time() * 1000) + 5 * MINUTE], minutes=5,
             settings={"attendance-share": 1})
    invite(claire, c, *(f"{p}@example.org" for p in people))
    host, _ = enter(s, s.link(c, "host")["link"], "Claire")
    host.send("session.start")
    rows = claire.ask("GET", f"/api/classes/{c}/people")[1]["people"]
    pages = [enter(s, claire.ask("POST", f"/api/classes/{c}/people/{r['person']}/link")[1]["token"],
                   r["name"])[0] for r in rows]

    def all_present():
        sheet = claire.ask("GET", f"/api/classes/{c}/attendance?again=1")[1].get("sheet", {})
        return sum(p["status"] == "present" for p in sheet.get("people", [])) >= len(people)
    check(f"{title}: present long enough", wait_for(all_present, 60, 0.2))
    host.answer(host.send("session.end"))
    for page in pages:
        page.wait_closed(60)
    return c


def owed(s):
    with sqlite3.connect(s.data + "/people.db", timeout=60) as db:
        rows = db.execute("SELECT hex(class), session, hex(person) FROM paper").fetchall()
    db.close()
    return rows


def dies(s):
    core = s.pid("core")
    s.stop(signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f"/proc/{core}"), 60)
    os.unlink(s.data + "/run/ports.json")


def between(s, box, post, claire):
    """Sealed, and no letter can be put into the queue; killed; afterwards each arrives once."""
    c = present(s, claire, "Scellée", "mona", "nils")
    wait_for(lambda: not names(s, "queue"), 60)
    queue = s.data + "/mail/queue"
    os.rename(queue, queue + ".away")
    open(queue, "w", encoding="utf-8").close()
    said = claire.ask("POST", f"/api/classes/{c}/attendance/seal", {})
    check("a sheet is sealed at the first try, though its letters cannot be queued", said[0] == 200, said)
    left = owed(s)
    check("who is owed one is written down", len(left) == 2, left)
    os.unlink(queue)
    os.rename(queue + ".away", queue)
    dies(s)
    s.start()
    ready(s)
    for who in ("mona", "nils"):
        check(f"the certificate of {who} arrives after the kill",
              wait_for(lambda: len(post.all("certificate", f"{who}@example.org", "Scellée")) == 1, 60))
    check("and is owed no longer", wait_for(lambda: not owed(s), 60), owed(s))

    # As if the kill had come between the queue and the list: what was sent is not sent again.
    dies(s)
    with sqlite3.connect(s.data + "/people.db", timeout=60) as db:
        db.executemany("INSERT INTO paper VALUES (?, ?, ?, 1)",
                       [(bytes.fromhex(a), n, bytes.fromhex(b)) for a, n, b in left])
    db.close()
    s.start()
    ready(s)
    check("taken up again they are off the list", wait_for(lambda: not owed(s), 60), owed(s))
    wait_for(lambda: not names(s, "queue"), 60)
    check("and nobody gets a second one", len(post.all("certificate", title="Scellée")) == 2,
          len(post.all("certificate", title="Scellée")))


def run():
    box = Mailbox()
    post = Post(box)
    with mailing(box) as s:
        ready(s)
        claire = staff(s, post)
        series(s, claire, post)
        between(s, box, post, claire)
        check("nothing was refused", names(s, "failed") == [])

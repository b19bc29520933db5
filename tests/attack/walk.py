"""The end of the rights matrix: what takes a class apart, done in earnest by those who may. Each step
must be taken; those that also have a wrong moment are refused once."""
import json
import time

from harness import wait_for
from matrix import PATIENCE, arrive, picture
from t_doors import Door, offer


def no(a, page, t, code, **fields):
    """A step that must be refused, and how."""
    got = page.ask(t, **fields)
    a.cells["refused"] += 1
    a.refused[t] += 1
    if got.get("code") != code:
        a.wrong.append(f"walk: {t} {fields}: {code} expected, {got}")


def tidy(a, host, animator):
    """The matrix leaves behind what its random order left: calls, voices, invitations."""
    for p in (host, animator):
        p.ask("workshop.voice", on=False)
        p.ask("workshop.talk")
        p.ask("workshop.listen", desk=False)
        p.ask("workshop.help.end", room=a.rooms[0])
    host.ask("floor.take", how="skipped")
    host.ask("stage.uninvite", person=a.person(a.victim))


def tables(a, host, animator, person):
    """Everybody sits in the first room."""
    a.must(person, "workshop.help", text="please")
    a.must(animator, "workshop.help.take", room=a.rooms[0])
    a.must(animator, "workshop.help.end", room=a.rooms[0])
    a.must(person, "workshop.help")
    a.must(person, "workshop.help.end")
    a.must(animator, "workshop.listen", room=a.rooms[1], desk=True)
    a.must(animator, "workshop.voice", on=True)
    a.must(animator, "workshop.voice", on=False)
    a.must(animator, "workshop.talk", room=a.rooms[1])
    a.must(animator, "workshop.talk")
    a.must(person, "workshop.go", room=a.rooms[1])
    a.must(person, "workshop.go")
    a.must(person, "workshop.stay")
    a.must(host, "workshop.change", set=a.set_open, change="ask")
    a.must(person, "workshop.ask")
    a.must(host, "workshop.change", set=a.set_open, change="never")
    no(a, person, "workshop.ask", "denied")
    a.must(host, "workshop.publish", room=a.rooms[0], scope="all")
    a.must(host, "workshop.room.merge", room=a.rooms[1], into=a.rooms[0])
    a.must(host, "workshop.room.add", set=a.set_open, name="Three")
    rooms = [w for w in host.fresh()["workshops"] if w["id"] == a.set_open][0]["rooms"]
    a.must(host, "workshop.room.close", room=rooms[-1]["id"])
    no(a, host, "workshop.delete", "state", set=a.set_open)
    a.must(host, "workshop.close", seconds=300)
    a.must(host, "workshop.cancel")
    no(a, host, "workshop.cancel", "state")
    a.must(host, "workshop.close", seconds=0)
    a.must(host, "workshop.report", set=a.set_open)
    a.must(host, "workshop.open", set=a.set_open)
    a.must(host, "workshop.close", seconds=0)
    a.must(host, "workshop.archive", set=a.set_open)
    a.must(host, "workshop.delete", set=a.ids["SET"])


def floor(a, host):
    """Turns of the witness and of the people."""
    speaker = a.pages["speaker"][0]
    who = a.person(speaker)
    a.must(host, "floor.mode", mode="nomination", fresh=True)
    a.must(host, "floor.give", person=who)
    a.must(host, "floor.pause", paused=True)
    a.must(host, "floor.pause", paused=False)
    a.must(host, "floor.time", seconds=30)
    a.must(speaker, "floor.done")
    no(a, speaker, "floor.done", "state")
    a.must(host, "floor.list", person=who)
    a.must(host, "floor.unlist", person=who)
    a.must(host, "floor.list", person=who)
    a.must(host, "floor.next")
    a.must(host, "floor.take", how="done")
    a.must(host, "floor.list", person=who)
    a.must(speaker, "floor.pass")
    a.must(host, "floor.mode", mode="open")
    a.must(host, "minute.note", kind="decision", text="Relire ensemble")
    line = host.fresh()["minutes"][-1]["id"]
    a.must(host, "minute.strike", minute=line)
    no(a, host, "minute.strike", "not_found", minute=line)


def encoder(a, host, person):
    """A WHIP publisher: who mutes it opens it again, and nobody else."""
    whip = a.server.link(a.class_id, "whip", "--name", "Camera")
    _, head, _ = Door(a.server).post("/whip/" + a.class_id, whip["link"])
    a.must(host, "person.mute", person=whip["person"])
    no(a, person, "person.unmute", "denied", person=whip["person"])
    a.must(host, "person.unmute", person=whip["person"])
    Door(a.server).ask("DELETE", head["location"], whip["link"])


def stage(a, host):
    """The audience's way onto the stage and back."""
    guest, who = a.victim, a.person(a.victim)
    a.must(host, "stage.invite", person=who)
    a.must(host, "stage.uninvite", person=who)
    no(a, guest, "stage.answer", "state", accept=True)
    a.must(host, "stage.invite", person=who)
    a.must(guest, "stage.answer", accept=True)
    a.must(guest, "stage.check", mic=True, cam=False, sound=True, ready=True)
    a.must(host, "stage.place", person=who, place="stage")
    a.must(guest, "media.state", mic="on", cam=False, screen=False, sound=False)
    a.must(guest, "stage.leave")
    no(a, guest, "media.state", "denied", mic="on", cam=False, screen=False, sound=False)
    for role in ("recorder", "listener"):
        no(a, host, "stage.place", "state", person=a.person(a.pages[role][0]), place="wings")
    no(a, host, "stage.phase", "state", phase="starting")
    a.must(host, "stage.place", person=a.person(host), place="stage")
    a.must(host, "stage.phase", phase="starting")


def door(a, host):
    """The waiting room: letting in, sending away, sending back."""
    no(a, host, "wait.admit", "not_found", person=a.left)
    a.must(host, "class.set", key="waiting-room", value="manual")
    first, second = a.one("participant", "First"), a.one("participant", "Second")
    for p in (first, second):
        assert p.messages[-1]["t"] == "waiting", p.messages[-1]
        a.must(p, "knock")
        for t in ("chat.send", "sync", "session.end", "wait.admit"):
            fields = {"chat.send": {"text": "in"}, "sync": {"have": 0}}.get(t, {})
            if t != "sync":
                no(a, p, t, "state", **fields)
    waiting = {w["name"]: w["person"] for w in host.fresh()["waiting"]}
    a.must(host, "wait.refuse", person=waiting["Second"], ban=True)
    a.must(host, "wait.admit", person=waiting["First"])
    first.type("snapshot", PATIENCE)
    no(a, first, "wait.admit", "denied")
    a.must(host, "person.wait", person=a.person(first))
    wait_for(lambda: first.messages[-1]["t"] == "waiting", PATIENCE)
    no(a, first, "chat.send", "state", text="out")
    a.must(host, "class.set", key="waiting-room", value="off")
    a.must(host, "person.remove", person=a.person(a.mate), ban=True)
    a.must(host, "person.unban", person=a.person(a.mate))
    closed = a.mate.wait_closed(PATIENCE)
    a.cells["removed"] += 1
    if not closed or closed.code != 4001:
        a.wrong.append(f"walk: whoever is removed stays: {closed}")


def media(a, person):
    """The one offer, a wish for a picture of somebody elsewhere, the connection that never comes."""
    offer = a.sample(next(m for m in a.messages if m.name == "media.offer"))
    a.must(person, "media.offer", **offer)
    person.put([b'{"t":"media.ready"}', b'{"t":"relays"}', b'{"t":"ping"}'])
    a.taken["media.ready"] += 1
    a.taken["ping"] += bool(wait_for(lambda: person.pongs, PATIENCE))
    a.taken["relays"] += bool(wait_for(lambda: person.relays, PATIENCE))
    wishes = (("[]", True), ('[[0,"%s","cam",720]]' % a.elsewhere["DEVICE"], False),
              ('[[99,"x","cam",720]]', False))
    for want, fits in wishes:
        before = person.loose
        person.put([('{"t":"view","want":%s}' % want).encode()])
        person.ask("workshop.report", set=a.ids["SET"])
        a.cells["ack" if fits else "never"] += 1
        (a.taken if fits else a.refused)["view"] += 1
        if (person.loose == before) != fits:
            a.wrong.append(f"walk: view {want}: {person.loose - before} errors")


def presence(a, host, person):
    """Is everybody there?"""
    a.must(host, "check.ask")
    no(a, host, "check.ask", "state")
    a.must(person, "check.answer", check=person.fresh()["checks"][0]["id"])


def succession(a, host):
    """The host goes and comes back: the lead is taken, not given by itself."""
    for p in a.pages["host"]:
        a.must(p, "leave")
    back = a.one("host", "host", host.guest)
    a.must(back, "host.take")
    return back


def dated(a):
    """A class before its time: prepared, its doors opened and shut again, begun, made longer."""
    soon = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() + 1200))
    code, out, err = a.server.cli("class", "create", "Dated", "--type", a.kind, "--json",
                                  "--start", soon, "--duration", "60")
    assert code == 0, err
    link = a.server.link(json.loads(out)["class"], "host")["link"]
    early = arrive(a.server, link, "Early", a.canary)
    a.extra.append(early)
    a.must(early, "session.doors", state="doors")
    a.must(early, "session.doors", state="preparing")
    a.must(early, "session.start")
    no(a, early, "session.doors", "state", state="doors")
    a.must(early, "session.extend", minutes=5)


def run(a):
    host, animator, person = (a.pages[r][0] for r in ("host", "animator", "participant"))
    media(a, person)
    tidy(a, host, animator)
    tables(a, host, animator, person)
    if a.kind == "webinar":
        stage(a, host)
    else:
        floor(a, host)
        encoder(a, host, person)
    door(a, host)
    presence(a, host, person)
    dated(a)
    host = succession(a, host)
    no(a, animator, "session.end", "denied")
    a.must(host, "session.extend", minutes=5)
    before = picture(host)
    for role in ("listener", "recorder", "interpreter", "speaker", "participant"):
        for t in ("session.end", "person.remove", "class.set"):
            fields = {"person.remove": {"person": a.ids["PERSON"], "ban": True},
                      "class.set": {"key": "presenters", "value": "staff"}}.get(t, {})
            no(a, a.pages[role][0], t, "denied", **fields)
    if picture(host) != before:
        a.wrong.append("walk: something refused had an effect")
    for role in ("listener", "recorder", "interpreter", "speaker", "participant", "animator"):
        a.must(a.pages[role][0], "leave")
    a.must(host, "session.end")

"""A class from the first hello to the last word, through supervisor, door, core and storage."""
import json

from harness import Client, Closed, Server, check, enter, fake_offer, wait_for


def two_people(s, class_id):
    host_link = s.link(class_id, "host")["link"]
    guest_link = s.link(class_id)["link"]
    host, state = enter(s, host_link, "Ada")
    check("a host joins", state["you"]["role"] == "host", state["class"]["title"])
    guest, state = enter(s, guest_link, "Blaise")
    check("a second person is in the snapshot with the first", len(state["people"]) == 2)
    joined = host.event("person.joined")
    check("the first person sees the second come", joined["person"]["name"] == "Blaise")
    answer = guest.answer(guest.send("chat.send", text="hello"))
    check("a message is acknowledged", answer["t"] == "ack", json.dumps(answer))
    said = host.event("chat.posted")
    check("and arrives", said["chat"]["text"] == "hello")
    guest.answer(guest.send("hand.raise", kind="speak"))
    check("a raised hand arrives", host.event("hand.raised")["hand"]["kind"] == "speak")
    check("who showed a link is no stranger to the door",
          wait_for(lambda: s.metric("amphi_door_untrusted") == 0, 60))
    refused = guest.answer(guest.send("session.end"))
    check("a participant may not end the class", refused.get("code") == "denied",
          json.dumps(refused))
    return host, guest


def media(s, client):
    offer_id = client.send("media.offer", cause="load", offer=fake_offer())
    answer = client.wait(lambda m: m.get("id") == offer_id)
    ok = answer["t"] == "media.answer"
    check("an offer is answered by a shard", ok, json.dumps(answer)[:160])
    if ok:
        ports = {c[2] for c in answer["answer"]["c"]}
        known = set(json.loads(s.hint("rtc.json"))["rtc"])
        check("its candidates name one port of the server", len(ports) == 1 and ports <= known)
    check("the media connection is counted",
          wait_for(lambda: s.metric("amphi_media_connections") == 1, 60))


def attendance(s, class_id):
    """The sheet comes from the journal, beside the running server."""
    code, out, err = s.cli("attendance", class_id, "--json")
    sheet = json.loads(out) if code == 0 else {"people": []}
    people = {p["name"]: p for p in sheet["people"]}
    check("attendance names who was there", set(people) == {"Ada", "Blaise"}, err)
    check("with one interval each, inside the session",
          all(len(p["intervals"]) == 1 and sheet["opened"] <= p["intervals"][0][0]
              < p["intervals"][0][1] <= sheet["closed"] for p in people.values()))
    code, again, _ = s.cli("attendance", class_id, "--json")
    check("its seal is the same each time", json.loads(again)["seal"] == sheet["seal"] != "")
    code, out, _ = s.cli("attendance", class_id, "--csv", "--lang", "en")
    rows = out.lstrip("\ufeff").splitlines()
    check("attendance as a file for spreadsheets",
          code == 0 and len(rows) == 3 and rows[0].startswith('"Name";"Role"'), rows[:1])
    other = class_id[:4] + ("b" if class_id[4] == "a" else "a") + class_id[5:]
    code, _, err = s.cli("attendance", other)
    check("attendance of an unknown class", code == 1 and "no such class" in err, err.strip())


def run():
    with Server() as s:
        check("ready in time", s.start_s < 5, f"{s.start_s * 1000:.0f} ms")
        check("the page is served", s.page("/")[0] == 200)
        check("so is a link's path", s.page("/c/c_x")[0] == 200)
        # The page is there before the door has met the core; the API answers once they have.
        check("the API answers", wait_for(lambda: s.page("/api/info")[0] == 200, 60))
        info = json.loads(s.page("/api/info")[1])
        check("the API tells its protocol", info["protocol"] == "amphi.1")
        ready = wait_for(lambda: s.get("/readyz")[0] == 200, 60)
        check("readyz: database, disk, self-test of every media port, door", ready,
              s.get("/readyz")[1].replace("\n", "; "))
        text = s.get("/metrics")[1]
        check("metrics end as OpenMetrics do", text.endswith("# EOF\n"))
        check("every drop reason is there", text.count("amphi_drops_total{") >= 30)
        check("no page but ours", s.get("/nothing")[0] == 404)
        class_id = s.make_class("Algebra")
        host, guest = two_people(s, class_id)
        media(s, guest)
        code, out, _ = s.cli("class", "list", "--json")
        row = json.loads(out)["classes"][0]
        check("class list counts who is there", code == 0 and row["present"] == 2, out.strip())
        code, out, _ = s.cli("class", "show", class_id)
        check("class show names them", "Ada" in out and "Blaise" in out)
        code, _, err = s.cli("class", "end", class_id)
        check("class end", code == 0, err)
        closed = host.wait_closed()
        check("ends it for everybody", closed and closed.code == 4002, closed)
        guest.close()
        attendance(s, class_id)
        bad = Client(s.port)
        bad.send("hello", v=1, lang="en", link="AAAA")
        closed = bad.wait_closed()
        check("a made-up link is refused with 4003", closed and closed.code == 4003, closed)
        try:
            enter(s, s.link(class_id)["link"], "Late")
            check("nobody joins an ended class", False)
        except (Closed, AssertionError) as e:
            check("nobody joins an ended class", True, e)
        code, seconds = s.stop()
        check("SIGTERM ends it with 0", code == 0, f"{seconds:.2f} s")

"""Rules S25 and S29: links and tokens that were tampered with, used up, or belong to somebody."""
import base64
import json
import string
import threading
import time

from harness import Client, Closed, Server, check, enter

LETTERS = set(string.ascii_letters + string.digits + "-_")


def decoded(token):
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def encoded(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def fate(s, timeout=60, **fields):
    """What comes of a hello: "door", "resumed", or the close code with the error before it."""
    c = Client(s.port)
    try:
        c.send("hello", v=1, lang="en", **fields)
        try:
            m = c.wait(lambda m: m["t"] in ("door", "resumed", "snapshot") or
                       m.get("code") == "bad_message", timeout)
            return m.get("code", m["t"])
        except Closed as e:
            said = [m.get("code") for m in c.messages if m["t"] == "error"]
            return f"{e.code} {said[0] if said else ''}".strip()
    finally:
        c.close()


def variants(token):
    """Every byte changed once, lengths changed, and other spellings of the same bytes."""
    raw = decoded(token)
    for i in range(len(raw)):
        yield f"byte {i}", encoded(raw[:i] + bytes([raw[i] ^ (1 << i % 8)]) + raw[i + 1:])
    yield "one byte less", encoded(raw[:-1])
    yield "one byte more", encoded(raw + b"\0")
    yield "half of it", encoded(raw[:len(raw) // 2])
    yield "twice", encoded(raw + raw)
    yield "no signature", encoded(raw[:-32])
    yield "signature of zeros", encoded(raw[:-32] + bytes(32))
    yield "padded", token + "="
    yield "a space behind", token + " "
    yield "alg none", encoded(b'{"alg":"none"}') + "." + encoded(b'{"role":"host"}') + "."
    yield "HS256", ".".join((encoded(b'{"alg":"HS256"}'), encoded(raw[:-32]), encoded(raw[-32:])))


def flipped(s, what, token, make, good):
    wrong = []
    n = 0
    for name, bad in variants(token):
        if bad == token:
            continue
        got = fate(s, **make(bad))
        n += 1
        # What is not even spelled as a token may be refused as a message: the socket may try again.
        if got != "4003 auth" and not (got == "bad_message" and set(bad) - LETTERS):
            wrong.append(f"{name}: {got}")
    check(f"S25 {what}: every byte flipped, lengths, other algorithms: all refused", not wrong,
          f"{n - len(wrong)}/{n} {' '.join(wrong[:3])}")
    got = fate(s, **make(token))
    check(f"S25 {what}: the untouched one is good", got == good, got)


def tampered(s):
    class_id = s.make_class()
    link = s.link(class_id)["link"]
    flipped(s, "link", link, lambda t: {"link": t}, "door")
    c = Client(s.port)
    c.send("hello", v=1, lang="en", link=link)
    guest = c.type("door")["guest"]
    c.close()
    flipped(s, "guest token", guest, lambda t: {"link": link, "guest": t}, "door")
    c, snapshot = enter(s, link, "Ada")
    flipped(s, "resume token", snapshot["resume"], lambda t: {"resume": t, "have": 0}, "resumed")
    c.close()
    other = s.link(s.make_class())["link"]
    got = fate(s, link=other, guest=guest)
    check("S25 a guest token of another class is not taken", got == "4003 auth", got)
    for kind, value in (("link as resume", {"resume": link}),
                        ("resume as link", {"link": snapshot["resume"]}),
                        ("guest as link", {"link": guest}), ("guest as resume", {"resume": guest}),
                        ("both", {"link": link, "resume": snapshot["resume"]}),
                        ("none", {})):
        got = fate(s, **value)
        check(f"S25 {kind}: refused", got not in ("door", "resumed"), got)


def single_use(s):
    class_id = s.make_class()
    once = s.link(class_id, "participant", "--single")["link"]
    got = []
    threads = [threading.Thread(target=lambda: got.append(fate(s, link=once))) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("S25 a single-use token, 20 at once: one enters",
          got.count("door") == 1 and got.count("4003 auth") == 19, sorted(set(got)))
    got = fate(s, link=once)
    check("S25 and again later: refused", got == "4003 auth", got)


def rotated(s):
    c, snapshot = enter(s, s.link(s.make_class())["link"], "Ada")
    tokens = [snapshot["resume"]]
    for _ in range(2):
        c.close()
        c = Client(s.port)
        c.send("hello", v=1, lang="en", resume=tokens[-1], have=0)
        tokens.append(c.type("resumed")["resume"])
        c.answer(c.send("chat.send", text="here"))
    old = [fate(s, resume=t, have=0) for t in tokens[:2]]
    check("S25 resume tokens rotate: the old ones are dead", old == ["4003 auth"] * 2, old)
    check("S25 and their use throws nobody out", c.closed is None and
          c.answer(c.send("chat.send", text="still"))["t"] == "ack")
    c.close()


def after_kick(s):
    class_id = s.make_class()
    host, _ = enter(s, s.link(class_id, "host")["link"], "Host")
    link = s.link(class_id)["link"]
    for ban in (False, True):
        c = Client(s.port)
        c.send("hello", v=1, lang="en", link=link)
        door = c.type("door")
        c.send("join", name="Victim", mic=False, cam=False)
        snapshot = c.type("snapshot")
        host.answer(host.send("person.remove", person=door["you"]["person"], ban=ban))
        closed = c.wait_closed(5)
        check(f"S25 removed{' for good' if ban else ''}: closed with 4001",
              closed and closed.code == 4001, closed)
        got = fate(s, resume=snapshot["resume"], have=snapshot["seq"])
        check(f"S25 removed{' for good' if ban else ''}: the resume token is dead",
              got == "4003 auth", got)
        if ban:
            got = fate(s, link=link, guest=door["guest"])
            check("S25 removed for good: link with the same identity is refused",
                  got == "4003 auth", got)
    host.close()


def after_end(s):
    class_id = s.make_class()
    link, host_link = s.link(class_id)["link"], s.link(class_id, "host")["link"]
    host, mine = enter(s, host_link, "Host")
    c, snapshot = enter(s, link, "Ada")
    host.answer(host.send("session.start"))
    host.send("session.end")
    closed = c.wait_closed(5)
    check("S25 session ended: closed with 4002", closed and closed.code == 4002, closed)
    got = fate(s, resume=snapshot["resume"], have=snapshot["seq"])
    check("S25 session ended: the resume token is dead", got not in ("resumed", "snapshot", "door"),
          got)
    s.cli("class", "end", class_id)
    got = [fate(s, **f) for f in ({"link": link}, {"link": host_link},
                                  {"resume": snapshot["resume"]}, {"resume": mine["resume"]})]
    check("S25 class ended: every link and token of it is dead",
          not {"door", "resumed", "snapshot"} & set(got), got)
    c.close()
    host.close()


def failed_auth(s):
    """S29: whatever is tried in somebody's name ends the connection that tried, no other."""
    class_id = s.make_class()
    link = s.link(class_id)["link"]
    victims, guests = [], []
    for i in range(5):
        c = Client(s.port)
        c.send("hello", v=1, lang="en", link=link)
        guests.append(c.type("door")["guest"])
        c.send("join", name=f"Victim {i}", mic=True, cam=True)
        victims.append((c, c.type("snapshot")))
    attacker, _ = enter(s, link, "Attacker")
    for c, _ in victims:  # of his coming they hear, of nothing else
        c.wait(lambda m: m["t"] == "delta" and '"Attacker"' in json.dumps(m), 60)
    start = [len(c.messages) for c, _ in victims]
    tries = 0
    outcomes = set()
    for k in range(40):
        for (_c, snapshot), guest in zip(victims, guests):
            raw = bytearray(decoded(snapshot["resume"]))
            raw[-1 - k % 32] ^= 1 + k  # the victim's ids, a wrong signature
            outcomes.add(fate(s, resume=encoded(bytes(raw)), have=snapshot["seq"]))
            raw = bytearray(decoded(guest))
            raw[-1 - k % 32] ^= 1 + k
            outcomes.add(fate(s, link=link, guest=encoded(bytes(raw))))
            tries += 2
    for _c, snapshot in victims:
        you = snapshot["you"]["person"]
        for message in ({"t": "person.remove", "person": you, "ban": True},
                        {"t": "person.mute", "person": you},
                        {"t": "role.set", "person": you, "role": "animator"},
                        {"t": "hand.lower", "person": you}):
            t = message.pop("t")
            answer = attacker.answer(attacker.send(t, **message))
            outcomes.add(answer.get("code", answer["t"]))
            tries += 1
        for t in ("hello", "join", "media.offer", "leave"):  # named by somebody who never came in
            c = Client(s.port)
            c.send(t, person=you, device=snapshot["you"]["device"])
            answer = c.wait(lambda m: True, 60)
            outcomes.add(answer.get("code", answer["t"]))
            c.close()
            tries += 1
    time.sleep(0.5)
    gone = [c.closed for c, _ in victims if c.closed]
    events = [e["e"] for (c, _), at in zip(victims, start) for m in c.messages[at:]
              if m["t"] == "delta" for e in m["events"]]
    check("S29 failed attempts in the name of others: disconnects", not gone,
          f"{len(gone)} of {len(victims)} after {tries} attempts")
    check("S29 they were refused", "door" not in outcomes and "resumed" not in outcomes and
          "ack" not in outcomes, sorted(outcomes))
    check("S29 and nobody was told of any event", not events, events[:3])
    acks = [c.answer(c.send("chat.send", text="here"))["t"] for c, _ in victims]
    check("S29 the victims work on", acks == ["ack"] * 5, acks)
    for c, _ in victims:
        c.close()
    attacker.close()


def run():
    with Server("--rtc.shards", "1", "--limits.connections_per_address", "2000") as s:
        for part in (tampered, single_use, rotated, after_kick, after_end, failed_auth):
            part(s)

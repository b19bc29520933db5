"""backup while a class is on, restore into an empty folder; erasing a person reaches old copies."""
import json
import os
import shutil
import tempfile

from harness import Server, check, enter, wait_for

WORDS = {"Ada": "the word of Ada", "Blaise": "the word of Blaise"}
MAIL = "Bientôt : {title}\nBonjour {name}, à tout de suite.\n{link}\n"


def talk(s, class_id):
    """Two people who say something each; their pages."""
    pages = []
    for name, role in (("Ada", "host"), ("Blaise", "participant")):
        page, _ = enter(s, s.link(class_id, role)["link"], name)
        check(f"{name} is heard", page.answer(page.send("chat.send", text=WORDS[name]))["t"] == "ack")
        pages.append(page)
    return pages


def backup(s, folder, what):
    code, out, err = s.cli("backup", folder)
    check(f"backup {what}", code == 0, err.strip() or os.path.basename(out.strip()))
    return out.strip()


def restored(copy, parent, link, what, expected):
    """Restores a copy into a new folder, serves it, enters by a link given out before."""
    s = Server(folder=tempfile.mkdtemp(dir=parent))
    code, out, err = s.cli("restore", copy)
    check(f"{what}: restore", code == 0, err.strip() or out.strip())
    kept = s.data + "/templates/reminder.fr.txt"
    check(f"{what}: the changed words of a mail are back",
          os.path.exists(kept) and open(kept, encoding="utf-8").read() == MAIL, kept)
    with s:
        check(f"{what}: the server is ready", wait_for(lambda: s.get("/readyz")[0] == 200, 60))
        page, snapshot = enter(s, link, "Back again")
        texts = [c["text"] for c in snapshot["chat"]]
        check(f"{what}: the chat is what it should be", texts == expected, texts)
        page.close()
        code, _, err = s.cli("restore", copy)
        check(f"{what}: not beside a running server", code == 1 and "already served" in err, err.strip())
    code, _, err = s.cli("restore", copy)
    check(f"{what}: not over a database", code == 1 and "there already" in err, err.strip())


def run():
    parent = tempfile.mkdtemp(prefix="amphi-app-")
    folder = os.path.join(parent, "copies")
    try:
        with Server() as s:
            class_id = s.make_class("To be kept")
            link = s.link(class_id, "participant")["link"]
            pages = talk(s, class_id)
            os.makedirs(s.data + "/templates", exist_ok=True)
            with open(s.data + "/templates/reminder.fr.txt", "w", encoding="utf-8") as f:
                f.write(MAIL)
            first = backup(s, folder, "while the class is on")
            restored(first, parent, link, "a copy", list(WORDS.values()))
            people = json.loads(s.cli("class", "show", class_id, "--json")[1])["people"]
            ada = next(p["id"] for p in people if p["name"] == "Ada")
            code, _, err = s.cli("class", "forget", class_id, ada)
            check("class forget", code == 0, err.strip())
            code, _, err = s.cli("class", "forget", class_id, "p_b" + "a" * 25)
            check("class forget of a stranger is refused", code == 1, err.strip())
            second = backup(s, folder, "after a person was erased")
            for page in pages:
                page.close()
        restored(second, parent, link, "a copy made after", ["", WORDS["Blaise"]])
        restored(first, parent, link, "the copy made before", ["", WORDS["Blaise"]])
        with Server(folder=tempfile.mkdtemp(dir=parent)) as other:
            code, _, err = other.cli("backup", folder)
            check("another server does not overwrite the keys", code == 1 and "another" in err,
                  err.strip())
    finally:
        shutil.rmtree(parent, ignore_errors=True)

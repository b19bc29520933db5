"""The tables of signaling/schema, read by themselves: an opinion of who may do what that owes nothing
to the C that is judged by it. Roles, rights, messages and settings come from the .def files; what a
lock, a grant, a place or the floor do to a right is written here once more, in the words of
classroom.md."""
import os
import re

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../signaling/schema")
FILES = sorted(name for name in os.listdir(SCHEMA) if re.fullmatch(r"messages\w*\.def", name))
# Whom locks and floors hold for, and what a feature is made of.
CROWD = ("participant", "listener")
STAFF = ("host", "animator")
FEATURES = {"mic": ("MIC",), "cam": ("CAM",), "screen": ("SCREEN", "SOUND"), "chat": ("CHAT",),
            "hand": ("HAND",)}
SENDING = ("MIC", "CAM", "SCREEN", "SOUND")
FACILITATOR = ("MUTE", "SCREEN", "SOUND")
ID_LETTER = {"CLASS": "c", "PERSON": "p", "DEVICE": "d", "MESSAGE": "m", "ROOM": "r", "SET": "w"}


def text_of(name):
    """A .def file without comments, its adjacent strings joined."""
    with open(os.path.join(SCHEMA, name), encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    return re.sub(r'"\s*\n\s*"', "", text)


def call_args(text, macro):
    """Arguments of every call of a macro, as lists of texts."""
    out = []
    for m in re.finditer(rf"^{macro}\(", text, flags=re.M):
        depth, at, quoted, args, word = 1, m.end(), False, [], ""
        while depth:
            c = text[at]
            quoted = quoted != (c == '"' and text[at - 1] != "\\")
            depth += 0 if quoted else (c == "(") - (c == ")")
            if (c == "," and depth == 1 and not quoted) or depth == 0:
                args.append(word.strip())
                word = ""
            else:
                word += c
            at += 1
        out.append((m.start(), args))
    return out


def enums():
    return {args[0]: [a.strip('"') for a in args[2:]]
            for name in FILES for _, args in call_args(text_of(name), "ENUM")}


ENUMS = enums()
ROLES = ENUMS["role"]
TYPES = ENUMS["class_type"]


def mask(expression, defines, prefix):
    """Names in a C expression of `1u << PREFIX_NAME` terms and macros of them."""
    found = set()
    for word in re.findall(r"\w+", expression):
        if word.startswith(prefix):
            found.add(word[len(prefix):].lower().replace("_", "-"))
        elif word in defines:
            found |= mask(defines[word], defines, prefix)
    return found


class Right:
    def __init__(self, args, defines):
        self.id = args[0]
        self.number = int(args[1])
        self.name = args[2].strip('"')
        self.roles = mask(args[3], defines, "ROLE_")
        self.types = mask(args[4], defines, "CLASS_")


def rights():
    top = text_of("rights.def")
    defines = dict(re.findall(r"^#define (\w+) (.+)$", top, flags=re.M))
    rows = [Right(args, defines)
            for name in ("rights.def", "rights_workshops.def", "rights_webinar.def")
            for _, args in call_args(text_of(name), "RIGHT")]
    assert len({r.number for r in rows}) == len(rows)
    return {r.id: r for r in rows}


def at_table():
    """(right, role, type of class): who has it besides at a table."""
    return {(args[0], role, kind)
            for _, args in call_args(text_of("rights_at_table.def"), "AT_TABLE")
            for role in mask(args[1], {}, "ROLE_") for kind in mask(args[2], {}, "CLASS_")}


class Message:
    def __init__(self, args):
        self.type = args[0]
        self.id = args[1]
        self.name = args[2].strip('"')
        self.places = {"BOTH": ("DOOR", "CLASS")}.get(args[3], (args[3],))
        self.right = args[4]
        self.flags = set(args[5].replace("|", " ").split())
        self.fields = []

    def answered(self):
        return bool(self.flags & {"CMD", "ASK"})


def messages():
    rows, aliases = {}, {}
    for name in FILES:
        text = text_of(name)
        kinds = {args[0]: args[1:] for _, args in call_args(text, "SHAPE")}
        for _, args in call_args(text, "P"):
            if kinds[args[0]][1] == "ALIAS":
                aliases[args[0]] = args[1:]
        for _, args in call_args(text, "MSG"):
            rows[args[1]] = Message(args)
        for _, args in call_args(text, "F"):
            rows[args[0]].fields.append(args[1:])
    return list(rows.values()), aliases


RIGHTS = rights()
AT_TABLE = at_table()
# Whoever changes this changes who may speak: said twice on purpose.
assert AT_TABLE == {(r, "listener", k) for r in ("MIC", "CAM") for k in ("webinar", "round-table")}
MESSAGES, ALIASES = messages()


class Situation:
    """Everything that decides what somebody may do."""

    def __init__(self, role, kind, table=False, facilitates=False, locks=(), floor="open",
                 holds=False, place=None, granted=(), denied=()):
        self.role = role
        self.kind = kind
        self.table = table  # in a workshop
        self.facilitates = facilitates
        self.locks = locks  # features
        self.floor = floor
        self.holds = holds  # has the floor
        self.place = place  # of a webinar: audience, wings, stage
        self.granted = granted
        self.denied = denied

    def may(self, right):
        if right == "NONE":
            return True
        row = RIGHTS[right]
        kind = "standard" if self.table else self.kind
        may = self.role in row.roles and (self.role != "participant" or kind in row.types)
        may = may or (self.table and (right, self.role, self.kind) in AT_TABLE)
        if self.role in CROWD and any(right in FEATURES[f] for f in self.locks):
            may = False
        if any(right in FEATURES[f] for f in self.granted):
            may = True
        if self.table and self.facilitates and right in FACILITATOR:
            may = True
        if any(right in FEATURES[f] for f in self.denied):
            may = False
        barred = self.floor != "open" and not self.table and not self.holds
        if right == "MIC" and barred and self.role not in STAFF and self.role != "interpreter":
            may = False
        if self.kind == "webinar" and not self.table and right in SENDING:
            if self.place == "audience" or (self.place == "wings" and right in FEATURES["screen"]):
                may = False
        return may

    def names(self):
        """Names of all rights, as the snapshot tells them."""
        return sorted(RIGHTS[r].name for r in RIGHTS if self.may(r))

"""The standard doors: every MUST of RFC 9725 (WHIP) and what WHEP adds, over plain HTTP requests;
then an independent stack (aiortc) that publishes and plays with its own SDP."""
import base64
import hmac
import http.client
import json
import re
import secrets
import subprocess
import tempfile
import time

from harness import Server, check, enter, tls, wait_for

SDP = "application/sdp"
FRAG = "application/trickle-ice-sdpfrag"


def credentials():
    return "".join(secrets.choice("abcdefgh") for _ in range(8)), secrets.token_hex(12)


def offer(direction="sendonly", kinds=("audio", "video"), setup="actpass", mux=True, bundle=True,
          ufrag=None):
    """An SDP offer as a small encoder writes it."""
    name, pwd = credentials()
    finger = ":".join(f"{b:02X}" for b in secrets.token_bytes(32))
    lines = ["v=0", f"o=- {secrets.randbelow(10 ** 9)} 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if bundle:
        lines.append("a=group:BUNDLE " + " ".join(str(i) for i in range(len(kinds))))
    for i, kind in enumerate(kinds):
        pt, codec = ("111", "opus/48000/2") if kind == "audio" else ("96", "VP8/90000")
        lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF {pt}", "c=IN IP4 0.0.0.0", f"a=mid:{i}",
                  f"a={direction}", f"a=rtpmap:{pt} {codec}", f"a=ice-ufrag:{ufrag or name}",
                  f"a=ice-pwd:{pwd}", f"a=fingerprint:sha-256 {finger}", f"a=setup:{setup}"]
        if mux:
            lines.append("a=rtcp-mux")
        if direction == "sendonly":
            lines.append(f"a=ssrc:{1000 + i} cname:x")
    return "\r\n".join(lines) + "\r\n"


def frag(ufrag, pwd, candidate="1 1 udp 2130706431 192.0.2.7 5000 typ host"):
    return (f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
            f"a=candidate:{candidate}\r\na=end-of-candidates\r\n")


class Door:
    """Requests to one server, one connection each."""

    def __init__(self, server):
        self.server = server

    def ask(self, method, path, token=None, body=None, **headers):
        c = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=60, context=tls())
        head = {k.replace("_", "-"): v for k, v in headers.items()}
        if token:
            head["Authorization"] = token if " " in token else "Bearer " + token
        try:
            c.request(method, path, body, head)
            answer = c.getresponse()
            return (answer.status, {k.lower(): v for k, v in answer.getheaders()},
                    answer.read().decode())
        finally:
            c.close()

    def announce(self, path, token, length):
        """Status of a POST that only says how much it would send."""
        c = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=60, context=tls())
        try:
            c.putrequest("POST", path)
            c.putheader("Authorization", "Bearer " + token)
            c.putheader("Content-Type", SDP)
            c.putheader("Content-Length", str(length))
            c.endheaders()
            return c.getresponse().status
        finally:
            c.close()

    def post(self, path, token, body=None, kind=SDP, **headers):
        return self.ask("POST", path, token, body if body is not None else offer(),
                        Content_Type=kind, **headers)


class Rig:
    """A live class with a host, its tokens, and the paths of its doors."""

    def __init__(self, s):
        self.s = s
        self.door = Door(s)
        self.id = s.make_class()
        self.host, _ = enter(s, s.link(self.id, "host")["link"], "Ada")
        self.whip = s.link(self.id, "whip", "--name", "Caméra du fond")
        self.whep = s.link(self.id, "whep")
        self.in_path = "/whip/" + self.id
        self.out_path = "/whep/" + self.id


def words(value):
    return {w.strip() for w in value.split(",")}


def creation(r):
    """RFC 9725 4.2: POST of an offer makes a session."""
    status, head, body = r.door.post(r.in_path, r.whip["link"])
    check("4.2 POST application/sdp answers 201", status == 201, status)
    check("4.2 the answer is application/sdp", head.get("content-type") == SDP)
    check("4.2 Location names the session, 128 random bits",
          head.get("location", "").startswith(r.in_path + "/") and
          len(head["location"].rsplit("/", 1)[1]) == 32, head.get("location"))
    check("4.3 ETag is strong", head.get("etag", "").startswith('"'), head.get("etag"))
    check("4.3 Accept-Patch names the fragment", head.get("accept-patch") == FRAG)
    check("4.4 the answer is recvonly throughout",
          body.count("a=recvonly") == 2 and "a=sendrecv" not in body and "a=sendonly" not in body)
    check("4.4.1 one bundle, rtcp-mux in each section",
          "a=group:BUNDLE 0 1" in body and body.count("a=rtcp-mux\r\n") == 2)
    check("4.4.4 the server is passive, ICE lite with its candidates",
          "a=setup:passive" in body and "a=ice-lite" in body and "a=candidate:" in body)
    check("an encoder is asked for Opus in-band FEC", "useinbandfec=1" in body)
    media = body.split("m=")[1:]
    check("4.2 each section says ICE credentials, fingerprint and setup, as JSEP wants",
          all(f"a={x}:" in m for m in media
              for x in ("ice-ufrag", "ice-pwd", "fingerprint", "setup")))
    check("4.3.2 the answer has all candidates, and says so", "a=end-of-candidates" in body and
          "a=ice-options:trickle ice2" in body)
    joined = r.host.event("person.joined")["person"]
    check("the publisher is a person of the class",
          joined["name"] == "Caméra du fond" and joined["role"] == "speaker" and
          joined["id"] == r.whip["person"], json.dumps(joined))
    check("with microphone and camera on",
          joined["devices"][0]["mic"] == "on" and joined["devices"][0]["cam"] is True)
    return head["location"], head["etag"]


def trickle(r, session, etag):
    """RFC 9725 4.3.2: candidates by PATCH."""
    ask = r.door.ask
    ufrag, pwd = credentials()
    token = r.whip["link"]
    body = "a=end-of-candidates\r\n"
    status, head, _ = ask("PATCH", session, token, body, Content_Type=FRAG, If_Match=etag)
    check("4.3.2 PATCH with the entity tag answers 204 without ETag",
          status == 204 and "etag" not in head, status)
    check("4.3 PATCH without If-Match answers 428",
          ask("PATCH", session, token, body, Content_Type=FRAG)[0] == 428)
    check("4.3 PATCH with another tag answers 412",
          ask("PATCH", session, token, body, Content_Type=FRAG, If_Match='"0"')[0] == 412)
    check("4.3 a weak tag never matches",
          ask("PATCH", session, token, body, Content_Type=FRAG, If_Match="W/" + etag)[0] == 412)
    check("4.3 PATCH of another type answers 415",
          ask("PATCH", session, token, body, Content_Type=SDP, If_Match=etag)[0] == 415)
    check("4.3 a body that is no fragment answers 400",
          ask("PATCH", session, token, "hello", Content_Type=FRAG, If_Match=etag)[0] == 400)
    check("4.3 a torn candidate answers 400",
          ask("PATCH", session, token, frag(ufrag, pwd, "x"), Content_Type=FRAG,
              If_Match=etag)[0] == 400)
    check("4.3 a candidate with a name is passed over",
          ask("PATCH", session, token,
              "a=candidate:1 1 udp 1 3f7d.local 5000 typ host\r\n", Content_Type=FRAG,
              If_Match=etag)[0] == 204)


def restart(r, session, etag):
    """RFC 9725 4.3.3: new credentials by PATCH."""
    ufrag, pwd = credentials()
    status, head, body = r.door.ask("PATCH", session, r.whip["link"], frag(ufrag, pwd),
                                    Content_Type=FRAG, If_Match="*")
    check("4.3.3 a restart answers 200 with a fragment",
          status == 200 and head.get("content-type") == FRAG, status)
    check("4.3.3 and a new ETag", head.get("etag") not in (None, etag))
    check("4.3.3 with our new credentials and candidates",
          "a=ice-ufrag:" in body and "a=ice-pwd:" in body and "a=candidate:" in body)
    check("4.3.3 the old tag is worth nothing",
          r.door.ask("PATCH", session, r.whip["link"], "a=end-of-candidates\r\n",
                     Content_Type=FRAG, If_Match=etag)[0] == 412)
    check("4.3.3 the fragment has the ICE attributes of the answer",
          "a=ice-lite\r\n" in body and "a=ice-options:trickle ice2\r\n" in body)
    check("4.3.3 a new password alone is no restart",
          r.door.ask("PATCH", session, r.whip["link"], frag(ufrag, credentials()[1]),
                     Content_Type=FRAG, If_Match="*")[0] == 400)
    status, quoted, _ = r.door.ask("PATCH", session, r.whip["link"], frag(*credentials()),
                                   Content_Type=FRAG, If_Match='"*"')
    check("4.3.3 a star in quotes, as in the RFC's example", status == 200, status)
    head = quoted
    status, _, _ = r.door.ask("PATCH", session, r.whip["link"],
                              f"a=ice-ufrag:{credentials()[0]}\r\n", Content_Type=FRAG,
                              If_Match="*")
    check("4.3.3 a restart without password is refused", status == 400, status)
    check("4.3.3 a failed restart keeps the session",
          r.door.ask("PATCH", session, r.whip["link"], "a=end-of-candidates\r\n",
                     Content_Type=FRAG, If_Match=head.get("etag", ""))[0] == 204)
    return head.get("etag", "")


def other_methods(r, session):
    """RFC 9725 4.1, 4.2: a session has no representation, and keeps methods for later."""
    ask, token = r.door.ask, r.whip["link"]
    status, _, body = ask("GET", session, token)
    check("4.1 GET of a session succeeds without content", status == 200 and body == "", status)
    check("4.1 HEAD of a session likewise", ask("HEAD", session, token)[0] == 200)
    check("4.2 POST to a session answers 405",
          ask("POST", session, token, offer(), Content_Type=SDP)[0] == 405)
    check("4.2 PUT to a session answers 405", ask("PUT", session, token, "x")[0] == 405)
    status, head, _ = ask("OPTIONS", session, Origin="https://encoder.example",
                          Access_Control_Request_Method="PATCH")
    check("4.2 OPTIONS of a session answers without a token",
          status == 200 and "PATCH" in head.get("access-control-allow-methods", ""), status)


def simulcast(r):
    """RFC 9725 4.8: encodings of one picture."""
    token = r.s.link(r.id, "whip", "--name", "Trois tailles")["link"]
    lines = offer().split("\r\n")
    at = len(lines) - 1
    lines[at:at] = ["a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
                    "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
                    "a=rid:h send", "a=rid:m send", "a=rid:l send", "a=simulcast:send h;m;l"]
    lines = [x for x in lines if not x.startswith("a=ssrc:1001")]
    status, head, body = r.door.post(r.in_path, token, "\r\n".join(lines))
    check("4.8 an offer of three encodings is answered with three",
          status == 201 and "a=simulcast:recv h;m;l" in body and
          all(f"a=rid:{x} recv" in body for x in "hml"), status)
    check("4.8 and ends like any other",
          r.door.ask("DELETE", head.get("location", "/"), token)[0] == 200)


def ending(r, session):
    """RFC 9725 4.2: DELETE."""
    check("4.2 DELETE of a session that never was answers 404",
          r.door.ask("DELETE", r.in_path + "/" + "0" * 32, r.whip["link"])[0] == 404)
    other = r.s.link(r.id, "whip", "--name", "Other")["link"]
    check("4.7 another publisher's token does not reach it",
          r.door.ask("DELETE", session, other)[0] == 404)
    status, _, _ = r.door.ask("DELETE", session, r.whip["link"], If_Match='"stale"')
    check("4.2 DELETE answers 200 whatever If-Match says", status == 200, status)
    check("4.2 then the session is gone",
          r.door.ask("DELETE", session, r.whip["link"])[0] == 404)
    left = r.host.event("person.left")
    check("the publisher has left the class", left["person"] == r.whip["person"],
          json.dumps(left))


def refusals(r):
    """RFC 9725 4.2, 4.4, 4.7: what is refused, as a whole and with the right status."""
    door, token = r.door, r.whip["link"]
    status, head, _ = door.post(r.in_path, None)
    check("4.7 no token answers 401 with WWW-Authenticate",
          status == 401 and head.get("www-authenticate", "").startswith("Bearer"), status)
    check("4.7 another scheme answers 401", door.post(r.in_path, "Basic eDp4")[0] == 401)
    status, head, _ = door.post(r.in_path, "nonsense")
    check("4.7 a token that is none answers 401 invalid_token",
          status == 401 and 'error="invalid_token"' in head.get("www-authenticate", ""), head)
    torn = token[:-1] + ("A" if token[-1] != "A" else "B")
    check("4.7 a token with one letter changed answers 401", door.post(r.in_path, torn)[0] == 401)
    check("4.7 an endless token answers 401", door.post(r.in_path, "a" * 2000)[0] == 401)
    old = r.s.link(r.id, "whip", "--name", "Old", "--ttl", "1s")["link"]
    # The leeway of clocks is a minute: what is shown is that the time is in the token.
    check("4.7 a token of one second is a token", door.post(r.in_path, old, "x")[0] == 400)
    status, head, body = door.post(r.in_path, r.whep["link"])
    check("4.7 a viewer's token does not publish: 403 insufficient_scope",
          status == 403 and 'error="insufficient_scope"' in head.get("www-authenticate", "") and
          "--role whip" in body, body)
    check("4.7 a link for people is no bearer token",
          door.post(r.in_path, r.s.link(r.id, "host")["link"])[0] == 403)
    check("4.7 a token of another class answers 403",
          door.post("/whip/" + r.s.make_class("Other"), token)[0] == 403)
    check("4.2 a class that is none answers 404", door.post("/whip/c_none", token)[0] == 404)
    check("4.2 another type answers 415", door.post(r.in_path, token, kind="text/plain")[0] == 415)
    check("4.2 the type is read without case and parameters",
          door.post(r.in_path, token, "x", kind="Application/SDP; charset=utf-8")[0] == 400)
    check("4.2 an answer of another type is refused",
          door.post(r.in_path, token, Accept="text/html")[0] == 406)
    check("4.2 what is no SDP answers 400", door.post(r.in_path, token, "v=1\r\nhello")[0] == 400)
    check("4.2 an empty offer answers 400", door.post(r.in_path, token, "")[0] == 400)
    check("4.4 the whole offer fails, not one section: two cameras",
          door.post(r.in_path, token, offer(kinds=("audio", "video", "video")))[0] == 422)
    check("4.4 an offer to receive does not publish",
          door.post(r.in_path, token, offer("recvonly"))[0] == 422)
    check("4.4.1 an offer without BUNDLE is refused",
          door.post(r.in_path, token, offer(bundle=False))[0] == 422)
    check("4.4.1 an offer without rtcp-mux is refused",
          door.post(r.in_path, token, offer(mux=False))[0] == 422)
    check("4.4.4 setup:passive is refused",
          door.post(r.in_path, token, offer(setup="passive"))[0] == 422)
    reasons(r)
    check("nobody came in by any of these", not r.host.events("person.joined"))
    status = door.announce(r.in_path, token, 70000000)
    check("4.2 too large answers 413 before it is sent", status == 413, status)


def reasons(r):
    """RFC 9725 4.1, RFC 9457: a refusal says what is wrong, where, and what would do."""
    door, token = r.door, r.whip["link"]
    plain = offer()
    lines = plain.split("\r\n")
    second = [i for i, x in enumerate(lines) if x.startswith("m=")][1]

    def without(prefix, after=0):
        return "\r\n".join(x for i, x in enumerate(lines) if i < after or not x.startswith(prefix))

    def added(at, *more):
        return "\r\n".join(lines[:at] + list(more) + lines[at:])

    other_stream = plain.replace("a=mid:0", "a=mid:0\r\na=msid:one t0").replace(
        "a=mid:1", "a=mid:1\r\na=msid:two t1")
    cases = [
        ("two cameras", offer(kinds=("audio", "video", "video")), 422, ("Section 3", "mid 2", "second")),
        ("two streams (4.4.2)", other_stream, 422, ("Section 2", "a=msid", "MediaStream")),
        ("a data channel", added(len(lines) - 1, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                                 "a=mid:2"), 422, ("Section 3", "data channel")),
        ("recvonly", offer("recvonly"), 422, ("Section 1", "a=sendonly")),
        ("inactive", offer("inactive"), 422, ("Section 1", "a=sendonly")),
        ("no BUNDLE", offer(bundle=False), 422, ("Section 1", "a=group:BUNDLE")),
        ("no rtcp-mux", offer(mux=False), 422, ("Section 1", "a=rtcp-mux")),
        ("setup:passive", offer(setup="passive"), 422, ("a=setup", "actpass")),
        ("no fingerprint", without("a=fingerprint"), 422, ("a=fingerprint",)),
        ("a torn fingerprint", re.sub("sha-256 ..", "sha-256 ZZ", plain), 400, ("a=fingerprint",)),
        ("no ICE password", without("a=ice-pwd"), 400, ("a=ice-pwd",)),
        ("RTP in the clear", plain.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), 422, ("SAVPF",)),
        ("one mid twice", plain.replace("a=mid:1", "a=mid:0"), 400, ("Section 2", "twice")),
        ("a section switched off", plain.replace("m=video 9", "m=video 0"), 422, ("Section 2", "port 0")),
        ("no codec of ours", plain.replace("VP8/90000", "H265/90000"), 422, ("codec", "VP8")),
        ("a line that is none", added(second, "hello"), 400, (f"Line {second + 1}",)),
        ("no m= line", "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 400, ("no m= line",)),
        ("NUL", plain[:40] + "\0" + plain[41:], 400, ("NUL",)),
        ("what is no SDP", "<html>", 400, ("v=0",)),
        ("10,000 sections", plain + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 1500, 400, ("64 sections",)),
    ]
    for name, body, wanted, words_in in cases:
        status, head, said = door.post(r.in_path, token, body)
        told = json.loads(said) if head.get("content-type") == "application/problem+json" else {}
        check(f"4.1 the refusal says why: {name}",
              status == wanted == told.get("status") and told.get("type") == "about:blank" and
              told.get("title") and all(w in told.get("detail", "") for w in words_in),
              f"{status} {said}")
    refused = [door.post(r.in_path, None), door.post(r.in_path, "nonsense"),
               door.post("/whip/c_none", token), door.post(r.in_path, token, kind="text/plain"),
               door.post(r.in_path, token, Accept="text/html"), door.ask("PUT", r.in_path, token, "x"),
               door.ask("PATCH", r.in_path, token, "x", Content_Type=FRAG),
               door.ask("DELETE", r.in_path + "/" + "0" * 32, token),
               door.post(r.out_path, r.whep["link"], offer())]
    check("4.1 every refusal of the doors is a problem (RFC 9457)",
          all(h.get("content-type") == "application/problem+json" and
              json.loads(b)["status"] == s for s, h, b in refused), [s for s, _, _ in refused])
    check("4.1 a refusal of HEAD has none", door.ask("HEAD", r.in_path, "nonsense")[2] == "")


def accepted(r):
    """RFC 9725 4.2, 4.4: offers that look unusual and are right."""
    door = r.door
    token = r.s.link(r.id, "whip", "--name", "Unusual")["link"]
    example = offer().split("\r\n")
    second = [i for i, x in enumerate(example) if x.startswith("m=")][1]
    # As the example of 4.2: the second section is bundle-only and says nothing of the transport.
    alone = ("a=rtcp-mux", "a=ice-", "a=fingerprint", "a=setup", "c=")
    example = example[:second] + [x for x in example[second:] if not x.startswith(alone)]
    example[second] = example[second].replace(" 9 ", " 0 ")
    example.insert(second + 1, "a=bundle-only")
    cases = [("the shape of the RFC's own example", "\r\n".join(example), 2),
             ("sendrecv", offer("sendrecv"), 2), ("setup:active", offer(setup="active"), 2),
             ("sound alone", offer(kinds=("audio",)), 1), ("a picture alone", offer(kinds=("video",)), 1),
             ("lines that end in LF", offer().replace("\r\n", "\n"), 2),
             ("one stream", offer().replace("a=mid:0", "a=mid:0\r\na=msid:s t0").replace(
                 "a=mid:1", "a=mid:1\r\na=msid:s t1"), 2)]
    for name, body, sections in cases:
        status, head, said = door.post(r.in_path, token, body)
        check(f"4.4 accepted: {name}", status == 201 and said.count("a=recvonly") == sections and
              said.count("m=") == sections and " 0 UDP" not in said, status)
        if status != 201:
            continue
        check(f"4.4.1 and rtcp-mux-only in each section: {name}",
              said.count("a=rtcp-mux-only\r\n") == sections)
        door.ask("DELETE", head["location"], token)
    status, head, said = door.post(r.out_path, r.whep["link"], offer("sendrecv"))
    check("WHEP: sendrecv is played to, nothing is taken",
          status == 201 and said.count("a=sendonly") == 2, status)
    door.ask("DELETE", head.get("location", "/"), r.whep["link"])


def flood(r):
    """RFC 9725 5: requests in any number leave the server and the session as they are."""
    token = r.s.link(r.id, "whip", "--name", "Flood")["link"]
    _, head, _ = r.door.post(r.in_path, token)
    session, etag = head["location"], head["etag"]
    got = [r.door.ask("PATCH", session, token, "a=end-of-candidates\r\n", Content_Type=FRAG,
                      If_Match=etag) for _ in range(150)]
    counts = {c: sum(1 for g in got if g[0] == c) for c in {g[0] for g in got}}
    check("5 PATCH in a flood answers 429 with Retry-After",
          got[0][0] == 204 and set(counts) <= {204, 429} and
          all("retry-after" in h for s, h, _ in got if s == 429), counts)
    check("5 and the session goes on", r.door.ask("GET", session, token)[0] == 200)
    check("5 and ends", r.door.ask("DELETE", session, token)[0] == 200)


def cors(r):
    """RFC 9725 4.2 on CORS, and methods kept for later."""
    status, head, body = r.door.ask("OPTIONS", r.in_path, Origin="https://encoder.example",
                                    Access_Control_Request_Method="POST")
    check("4.2 OPTIONS answers without a token", status == 200 and body == "", status)
    check("4.2 and names Accept-Post", head.get("accept-post") == SDP)
    check("4.2 CORS: any origin, since only the token counts",
          head.get("access-control-allow-origin") == "*" and
          "access-control-allow-credentials" not in head)
    check("4.2 CORS: methods and headers",
          {"POST", "PATCH", "DELETE"} <= words(head.get("access-control-allow-methods", "")) and
          {"Authorization", "Content-Type", "If-Match"} <=
          words(head.get("access-control-allow-headers", "")))
    check("4.2 CORS: Location, ETag and Link can be read",
          {"Location", "ETag", "Link"} <= words(head.get("access-control-expose-headers", "")))
    check("4.6 no relays before a token was shown", "link" not in head)
    status, head, _ = r.door.ask("POST", r.in_path, None, "x", Content_Type=SDP,
                                 Origin="https://encoder.example")
    check("4.2 a refusal can be read from another origin too",
          status == 401 and head.get("access-control-allow-origin") == "*", status)
    for path in (r.in_path, r.out_path):
        token = (r.whip if path == r.in_path else r.whep)["link"]
        status, _, body = r.door.ask("GET", path, token)
        check(f"4.2 GET {path[:5]} succeeds without content", status == 200 and body == "", status)
        status, head, _ = r.door.ask("HEAD", path, token)
        check(f"4.2 HEAD {path[:5]} likewise", status == 200 and (
            path == r.in_path or head.get("content-type") == SDP), status)
        status, head, _ = r.door.ask("PATCH", path, token, "x", Content_Type=FRAG)
        check(f"4.2 PATCH of {path[:5]} itself answers 405 with Allow",
              status == 405 and "POST" in head.get("allow", ""), status)
        check(f"PUT {path[:5]} answers 405", r.door.ask("PUT", path, token, "x")[0] == 405)


def viewers(r):
    """What WHEP adds."""
    door, token = r.door, r.whep["link"]
    status, head, body = door.post(r.out_path, token, offer("recvonly"))
    check("WHEP: POST answers 201 with a sendonly answer",
          status == 201 and body.count("a=sendonly") == 2, status)
    check("WHEP: Opus in-band FEC is told of", "useinbandfec=1" in body)
    check("WHEP: one stream, one section per kind",
          body.count("m=audio") == 1 and body.count("m=video") == 1 and "a=msid:" in body)
    many = [door.post(r.out_path, token, offer("recvonly")) for _ in range(3)]
    check("WHEP: one token, many viewers", [m[0] for m in many] == [201] * 3)
    check("WHEP: viewers are counted", wait_for(lambda: r.s.metric("amphi_whep_viewers") == 4, 60))
    check("WHEP: and no people", not r.host.events("person.joined"))
    check("WHEP: one mix for all of them", r.s.metric("amphi_mixes") == 1)
    check("WHEP: an offer to send is refused", door.post(r.out_path, token, offer())[0] == 422)
    check("WHEP: a publisher's token does not play",
          door.post(r.out_path, r.whip["link"], offer("recvonly"))[0] == 403)
    ufrag, pwd = credentials()
    status, again, _ = door.ask("PATCH", head["location"], token, frag(ufrag, pwd),
                                Content_Type=FRAG, If_Match="*")
    check("WHEP: restart", status == 200 and again.get("etag") != head["etag"], status)
    status, later, _ = door.post(r.out_path + "?publisher=" + r.whip["person"], token,
                                 offer("recvonly"))
    check("WHEP: somebody who sends nothing answers 409 with Retry-After",
          status == 409 and "retry-after" in later, status)
    check("WHEP: a publisher that is no id answers 404",
          door.post(r.out_path + "?publisher=x", token, offer("recvonly"))[0] == 404)
    for _, more, _ in many:
        door.ask("DELETE", more["location"], token)
    check("WHEP: DELETE", door.ask("DELETE", head["location"], token)[0] == 200)
    status, later, _ = door.post("/whep/" + r.idle, r.idle_token, offer("recvonly"))
    check("WHEP: nothing live answers 409 with Retry-After",
          status == 409 and "retry-after" in later, status)


def hostile(r):
    """Offers made to do harm, through the whole program: each is refused with a reason or served,
    and the sessions there go on."""
    door, steady = r.door, r.whip["link"]
    stays = door.post(r.in_path, steady)[1]["location"]
    plain = offer()
    many = {
        "10,000 attributes": plain + "a=x:1\r\n" * 9000,
        "an endless attribute": plain + "a=" + "x" * 60000 + "\r\n",
        "an endless mid": plain.replace("a=mid:0", "a=mid:" + "9" * 50000),
        "an endless user name": plain.replace("a=ice-ufrag:", "a=ice-ufrag:" + "a" * 5000),
        "bytes that are no text": plain.replace("a=mid:0", "a=mid:\xff\xfe"),
        "formats": plain.replace("a=mid:0", "a=mid:%s%n%s%n"),
        "a fingerprint of another length": plain.replace("sha-256 ", "sha-256 " + "00:" * 900),
        "candidates": plain + "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n" * 1200,
        "numbers beyond all": plain + "a=candidate:-1 9 udp 99999999999 ::: 9999999 typ host\r\n"
                              "a=ssrc:99999999999999999999 cname:x\r\na=ssrc-group:FID 1 1\r\n",
        "SSRCs": plain + "".join(f"a=ssrc:{i} cname:x\r\n" for i in range(1900)),
        "encodings": plain + "a=simulcast:send " + ";".join(str(i) for i in range(5000)) + "\r\n",
        "alternatives": plain + "a=simulcast:send " + ",".join("~a" for _ in range(9000)) + "\r\n",
        "a bundle of thousands": plain.replace("BUNDLE 0 1", "BUNDLE " + "0 " * 20000),
        "payload types": plain.replace(" 96\r\n", " " + " ".join(map(str, range(3000))) + "\r\n"),
        "extensions": plain + "".join(f"a=extmap:{i} urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                                      for i in range(1000)),
        "retransmission of itself": plain + "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=97\r\n",
    }
    token = r.s.link(r.id, "whip", "--name", "Hostile")["link"]
    for name, body in many.items():
        for path, bearer in ((r.in_path, token), (r.out_path, r.whep["link"])):
            status, head, said = door.post(path, bearer, body.encode("latin-1"))
            good = status == 201 or status in (400, 413, 422) and json.loads(said)["status"] == status
            check(f"S14 hostile offer at {path[:5]}: {name}", good, status)
            if status == 201:
                door.ask("DELETE", head["location"], bearer)
    check("S14 a session beside them goes on", door.ask("GET", stays, steady)[0] == 200)
    door.ask("DELETE", stays, steady)
    check("S14 and nothing of them stays", wait_for(
        lambda: r.s.metric("amphi_whip_publishers") == 0 and r.s.metric("amphi_whep_viewers") == 0, 60))


def waiting_room(r):
    """Staff made the token by hand: no waiting room holds an encoder back, who could not wait."""
    for mode in ("manual", "list"):
        r.host.answer(r.host.send("class.set", key="waiting-room", value=mode), 60)
        token = r.s.link(r.id, "whip", "--name", "At the door " + mode)["link"]
        status, head, body = r.door.post(r.in_path, token)
        check(f"the waiting room ({mode}) does not hold an encoder back", status == 201, body[:200])
        r.door.ask("DELETE", head.get("location", "/"), token)
    r.host.answer(r.host.send("class.set", key="waiting-room", value="off"), 60)


def replaced(r):
    """One token, one publisher: the newest session is the one."""
    first = r.door.post(r.in_path, r.whip["link"])[1]["location"]
    second = r.door.post(r.in_path, r.whip["link"])[1]["location"]
    check("a publisher that comes again replaces itself",
          wait_for(lambda: r.door.ask("GET", first, r.whip["link"])[0] == 404, 60))
    check("and keeps the newest session", r.door.ask("GET", second, r.whip["link"])[0] == 200)
    r.host.send("person.remove", person=r.whip["person"], ban=True)
    check("a publisher removed by the host has no session any more",
          wait_for(lambda: r.door.ask("GET", second, r.whip["link"])[0] == 404, 60))
    check("and does not come back", r.door.post(r.in_path, r.whip["link"])[0] == 403)


def cli_link(r, *words):
    code, out, err = r.s.cli("link", r.id, *words, "--json")
    return code, json.loads(out) if out.strip() else err


def withdrawn(r):
    """A token can be ended before it expires: it opens nothing more, and whoever came by it is gone."""
    door = r.door
    cam = r.s.link(r.id, "whip", "--name", "Withdrawn")
    hall = r.s.link(r.id, "whep", "--name", "Hall")
    stays = r.s.link(r.id, "whep", "--name", "Stays")
    sends = door.post(r.in_path, cam["link"])[1]["location"]
    seen = [door.post(r.out_path, t["link"], offer("recvonly"))[1]["location"]
            for t in (hall, hall, stays)]
    wait_for(lambda: r.s.metric("amphi_whep_viewers") == 3, 60)
    code, told = cli_link(r, "--list")
    listed = {p["pass"]: p for p in told["passes"]}
    check("amphi link --list names them, and who sends now", code == 0 and
          listed[cam["pass"]]["present"] is True and listed[hall["pass"]]["name"] == "Hall" and
          listed[cam["pass"]]["role"] == "whip", json.dumps(listed[cam["pass"]]))
    check("but not the tokens", not any(t["link"] in json.dumps(told) for t in (cam, hall, stays)))
    check("amphi link --withdraw by the name in the list",
          cli_link(r, "--withdraw", cam["pass"])[0] == 0)
    check("its publisher is gone", wait_for(
        lambda: r.s.metric("amphi_whip_publishers") == 0 and
        r.host.events("person.left")[-1]["person"] == cam["person"], 60))
    status, head, body = door.post(r.in_path, cam["link"])
    check("a withdrawn token answers 401 invalid_token and says so", status == 401 and
          'error="invalid_token"' in head.get("www-authenticate", "") and "withdrawn" in body, body)
    check("also at the session it opened",
          door.ask("DELETE", sends, cam["link"])[0] == 401)
    check("amphi link --withdraw by the token itself",
          cli_link(r, "--withdraw", hall["link"])[0] == 0)
    check("all who watch with it are cut off, nobody else",
          wait_for(lambda: r.s.metric("amphi_whep_viewers") == 1, 60) and
          door.ask("GET", seen[2], stays["link"])[0] == 200)
    check("nobody new comes by it",
          door.post(r.out_path, hall["link"], offer("recvonly"))[0] == 401)
    check("neither is in the list any more", not {cam["pass"], hall["pass"]} &
          {p["pass"] for p in cli_link(r, "--list")[1]["passes"]})
    check("one that is none is refused", cli_link(r, "--withdraw", "t_" + "a" * 26)[0] != 0 and
          cli_link(r, "--withdraw", "nonsense")[0] != 0)
    door.ask("DELETE", seen[2], stays["link"])
    again = r.s.link(r.id, "whip", "--name", "Withdrawn")
    check("a new token for the same camera is another one", again["pass"] != cam["pass"] and
          door.post(r.in_path, again["link"])[0] == 201)
    cli_link(r, "--withdraw", again["pass"])
    wait_for(lambda: r.s.metric("amphi_whip_publishers") == 0, 60)


def muted(r):
    """Nobody sits at an encoder: whoever mutes it opens it again, and it does not do so by itself."""
    door, token, person = r.door, r.whip["link"], r.whip["person"]
    guest, _ = enter(r.s, r.s.link(r.id, "participant")["link"], "Zoé")
    page = guest.type("snapshot")["you"]["person"]
    host = r.host
    before = len(host.messages)
    door.post(r.in_path, token)
    device = host.wait(lambda m: any(
        e["e"] == "person.joined" and e["person"]["id"] == person for e in m.get("events", [])), 60,
        before)["events"][-1]["person"]["devices"][0]
    check("an encoder is marked as one, a page is not", device.get("feed") is True and not any(
        "feed" in d for p in guest.type("snapshot")["people"] for d in p["devices"]))

    def mic(of=device["id"]):
        told = [e for e in host.events("media.changed") if e["device"] == of]
        return told[-1]["mic"] if told else None

    def says(who, kind, **fields):
        """Its answer: ack, or the code of the refusal."""
        got = who.answer(who.send(kind, **fields), 60)
        return got.get("code", got["t"])

    check("host mutes an encoder", says(host, "person.mute", person=person) == "ack" and
          wait_for(lambda: mic() == "off", 60))
    check("who may not mute does not open it", says(guest, "person.unmute", person=person) == "denied")
    check("nobody opens the microphone of people",
          says(host, "person.unmute", person=page) == "denied")
    last = door.post(r.in_path, token)[1]["location"]
    again = host.event("device.joined", 60, person=person)["device"]
    check("an encoder that comes back by itself stays muted, its picture goes on",
          again["mic"] == "off" and again["cam"] is True and again.get("feed") is True, again)
    says(host, "lock.set", feature="mic", locked=True)
    says(host, "person.grant", person=person, feature="mic", mode="denied")
    check("nor does it send what it may not",
          says(host, "person.unmute", person=person) == "ack" and
          mic(again["id"]) != "on")
    says(host, "person.grant", person=person, feature="mic", mode="role")
    says(host, "lock.set", feature="mic", locked=False)
    check("who may mute it opens it again", says(host, "person.unmute", person=person) == "ack" and
          wait_for(lambda: mic(again["id"]) == "on", 60))
    check("once more changes nothing", says(host, "person.unmute", person=person) == "ack")
    check("somebody who is not here is unknown",
          says(host, "person.unmute", person="p_" + "1" * 26) in ("not_found", "bad_message"))
    door.ask("DELETE", last, token)
    check("and it leaves", wait_for(lambda: host.events("person.left")[-1]["person"] == person, 60))


def media(r):
    """Two publishers and two viewers of a stack that is not ours."""
    base = f"https://127.0.0.1:{r.s.port}"
    one, two = (r.s.link(r.id, "whip", "--name", n) for n in ("Encoder 1", "Encoder 2"))
    jobs = {"publish": [
        {"url": base + r.in_path, "token": one["link"], "hz": 440, "luma": 60},
        {"url": base + r.in_path, "token": two["link"], "hz": 880, "luma": 200}],
        "watch": {"all": {"url": base + r.out_path, "token": r.whep["link"], "hears": [0, 1]},
                  "one": {"url": f"{base}{r.out_path}?publisher={two['person']}",
                          "token": r.whep["link"], "hears": [1]}},
        "again": True}
    done = subprocess.run(["/usr/bin/python3", "tests/app/wish_peer.py", json.dumps(jobs)],
                          capture_output=True, text=True, timeout=60, check=False)
    got = json.loads(done.stdout.splitlines()[0]) if done.stdout else {}
    if not check("aiortc publishes twice and plays twice", done.returncode == 0 and len(got) == 3,
                 done.stderr[-500:]):
        return
    both, single = got["all"], got["one"]
    check("aiortc: pictures arrive", both["frames"] >= 20 and both["size"] == "320x180",
          both["frames"])
    check("aiortc: both voices are in the one sound",
          min(both["tones"].values()) > 0.5 and both["silence"] < 0.05, both["tones"])
    check("aiortc: ?publisher= is that one alone",
          single["tones"]["880"] > 0.5 and single["tones"]["440"] < 0.05 and
          abs(single["luma"] - 200) < 20, json.dumps(single))
    check("aiortc: publishers that come again are heard by who listened, ?publisher= included",
          got["again"] == {"all": True, "one": True}, got["again"])
    check("aiortc: DELETE ends them all",
          wait_for(lambda: r.s.metric("amphi_whip_publishers") == 0 and
                   r.s.metric("amphi_whep_viewers") == 0 and r.s.metric("amphi_mixes") == 0, 5))
    check("aiortc: the server's close_notify ends each connection",
          json.loads(done.stdout.splitlines()[-1]).get("told") == 4, done.stdout[-200:])
    before = r.s.metric("amphi_media_connections_closed_total")
    jobs = {"publish": [dict(jobs["publish"][0], luma=None)], "watch": {}, "vanish": True}
    done = subprocess.run(["/usr/bin/python3", "tests/app/wish_peer.py", json.dumps(jobs)],
                          capture_output=True, text=True, timeout=120, check=False)
    check("aiortc: one that closes without DELETE has said close_notify", done.returncode == 0 and
          wait_for(lambda: r.s.metric("amphi_media_connections_closed_total") > before, 60),
          done.stderr[-300:])
    check("aiortc: and its seat is free", wait_for(lambda: r.s.metric("amphi_whip_publishers") == 0, 60))


def moved(r):
    """ICE restart while media flows: new credentials by PATCH, a new socket, the old one closed."""
    base = f"https://127.0.0.1:{r.s.port}"
    one = r.s.link(r.id, "whip", "--name", "Moves")
    jobs = {"publish": [{"url": base + r.in_path, "token": one["link"], "hz": 440, "luma": 60}],
            "watch": {"all": {"url": base + r.out_path, "token": r.whep["link"]}},
            "restart": True, "patience": 60}
    before = r.s.metric("amphi_wish_restarts_total") or 0
    done = subprocess.run(["/usr/bin/python3", "tests/app/wish_peer.py", json.dumps(jobs)],
                          capture_output=True, text=True, timeout=240, check=False)
    got = json.loads(done.stdout.splitlines()[0]) if done.stdout else {}
    if not check("aiortc restarts ICE on both doors", done.returncode == 0 and
                 len(got.get("restarted", [])) == 2, done.stderr[-500:]):
        return
    for who, then in zip(("publisher", "viewer"), got["restarted"]):
        check(f"4.3.3 media of a {who} goes on over its new path alone",
              then["goes_on"] and then["tone"] > 0.5, json.dumps(then))
    check("4.3.3 and the server counted both",
          (r.s.metric("amphi_wish_restarts_total") or 0) - before == 2)


def relays():
    """coturn's REST credentials for pages and for the standard doors."""
    secret = secrets.token_hex(16)
    with tempfile.NamedTemporaryFile("w", suffix="-secret") as f:
        f.write(secret + "\n")
        f.flush()
        urls = "turn:192.0.2.9:3478?transport=udp,turns:192.0.2.9:443?transport=tcp"
        with Server("--turn.urls", urls, "--turn.secret_file", f.name, "--turn.ttl_s", "600") as s:
            r = Rig(s)
            door = r.host.type("door")["ice"]
            check("the page hears of the relays", door["urls"] == urls.split(","))
            expiry, user = door["username"].split(":")
            mac = hmac.new(secret.encode(), door["username"].encode(), "sha1").digest()
            check("with the password coturn expects",
                  door["credential"] == base64.b64encode(mac).decode())
            check("of this person, for as long as was set",
                  user == r.host.type("snapshot")["you"]["person"] and
                  500 < int(expiry) - time.time() < 610, door["username"])
            check("the snapshot has them too, for a page that comes back",
                  r.host.type("snapshot")["ice"]["urls"] == door["urls"])
            _, head, _ = r.door.post(r.in_path, r.whip["link"])
            link = head.get("link", "")
            check("4.6 Link names the relays with credentials",
                  link.count('rel="ice-server"') == 2 and link.count("credential=") == 2 and
                  "<turns:192.0.2.9:443?transport=tcp>" in link, link)


def run():
    relays()
    with Server() as s:
        r = Rig(s)
        r.idle = s.make_class("Nobody here")
        r.idle_token = s.link(r.idle, "whep")["link"]
        refusals(r)
        cors(r)
        viewers(r)
        session, etag = creation(r)
        trickle(r, session, etag)
        restart(r, session, etag)
        other_methods(r, session)
        ending(r, session)
        simulcast(r)
        accepted(r)
        flood(r)
        hostile(r)
        waiting_room(r)
        withdrawn(r)
        muted(r)
        media(r)
        moved(r)
        replaced(r)

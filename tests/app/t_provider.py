"""Signing in through an identity provider that this test runs (OpenID Connect): good ways in, and
every bad token refused (S25). Keys and signatures are made by openssl, not by the program."""
import base64
import hashlib
import http.server
import itertools
import json
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

from harness import Server, check
from t_accounts import PASSWORD, Browser, ready


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


class Key:
    def __init__(self, folder, name, kind="RS256"):
        self.path, self.kid, self.kind = f"{folder}/{name}.pem", name, kind
        if kind == "RS256":
            openssl("genrsa", "-out", self.path, "2048")
        else:
            openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path)

    def jwk(self):
        if self.kind == "RS256":
            n = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().split("=")[1].strip()
            return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": b64(bytes.fromhex(n)),
                    "e": "AQAB"}
        der = openssl("ec", "-in", self.path, "-pubout", "-outform", "DER")
        return {"kty": "EC", "crv": "P-256", "kid": self.kid, "x": b64(der[-64:-32]),
                "y": b64(der[-32:])}

    def sign(self, text):
        der = openssl("dgst", "-sha256", "-sign", self.path, data=text.encode())
        if self.kind == "RS256":
            return der
        at, out = 2, b""
        for _ in range(2):
            length = der[at + 1]
            out += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + length
        return out


class Provider:
    """Hands out what `claims` and `head` say for any code; counts who asks."""

    def __init__(self, folder):
        self.folder = folder
        cert, key = folder + "/tls.crt", folder + "/tls.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                "-days", "2", "-subj", "/CN=provider", "-addext", "subjectAltName=IP:127.0.0.1")
        self.ca, self.rsa = cert, Key(folder, "one")
        self.published, self.signer = [self.rsa], self.rsa
        self.claims, self.head, self.raw, self.asked, self.issuer_said = {}, {}, None, {}, None
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, o):
                body = json.dumps(o).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path == "/.well-known/openid-configuration":
                    self.answer({"issuer": provider.issuer_said or provider.issuer,
                                 "authorization_endpoint": provider.issuer + "/authorize",
                                 "token_endpoint": provider.issuer + "/token",
                                 "jwks_uri": provider.issuer + "/keys"})
                elif self.path == "/keys":
                    self.answer({"keys": [k.jwk() for k in provider.published]})
                else:
                    self.send_error(404)

            def do_POST(self):
                form = urllib.parse.parse_qs(
                    self.rfile.read(int(self.headers["Content-Length"])).decode())
                provider.form = {k: v[0] for k, v in form.items()}
                challenge = b64(hashlib.sha256(provider.form["code_verifier"].encode()).digest())
                if challenge != provider.asked.get("code_challenge"):
                    self.send_error(400)
                else:
                    self.answer({"id_token": provider.token(), "token_type": "Bearer",
                                 "access_token": "x"})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "amphi", "sub": "s1", "iat": now, "exp": now + 300,
                  "nonce": self.asked.get("nonce"), "name": "Claire Fontaine",
                  "email": "claire@example.org", "email_verified": True, "roles": ["teacher"]}
        claims.update(self.claims)
        claims = {k: v for k, v in claims.items() if v is not None}
        head = {"alg": self.signer.kind, "kid": self.signer.kid, **self.head}
        text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
        if head["alg"] == "none":
            return text + "."
        if head["alg"] == "HS256":
            return text + "." + b64(hashlib.sha256(text.encode()).digest())
        signature = self.signer.sign(text)
        return text + "." + b64(signature if self.raw is None else self.raw(signature))


homes = itertools.count(2)


def somewhere(s):
    """A browser at an address of its own: each has a few tries only (S39)."""
    return Browser(s, source=f"127.0.1.{next(homes)}")


def sign_in(s, p, state=None):
    """A whole round as a browser makes it. Status of the end and the browser."""
    b = somewhere(s)
    status, body = b.ask("POST", "/api/provider", {})
    if status != 200:
        return status, b
    query = urllib.parse.parse_qs(urllib.parse.urlparse(body["url"]).query)
    p.asked = {k: v[0] for k, v in query.items()}
    status, _ = b.ask("POST", "/api/provider/finish",
                      {"code": "c0de", "state": state or p.asked["state"]})
    return status, b


def good(s, p):
    status, b = sign_in(s, p)
    me = b.ask("GET", "/api/session")[1]["me"]
    check("a teacher of the institution gets an account", status == 200 and me
          and me["name"] == "Claire Fontaine" and not me["admin"], (status, me))
    check("the request asks for a code with PKCE, state and nonce",
          p.asked["response_type"] == "code" and p.asked["code_challenge_method"] == "S256"
          and len(p.asked["state"]) == 43 and len(p.asked["nonce"]) == 43)
    status, again = sign_in(s, p)
    check("the same person the next time", again.ask("GET", "/api/session")[1]["me"]["id"] == me["id"])
    p.claims = {"roles": ["teacher", "chief"]}
    sign_in(s, p)[1]
    check("roles follow the claims", sign_in(s, p)[1].ask("GET", "/api/session")[1]["me"]["admin"])
    p.claims = {"sub": "s2", "email": "pupil@example.org", "roles": ["pupil"]}
    status, b = sign_in(s, p)
    check("a person without such a role gets none", status == 403, status)
    p.claims = {"aud": ["amphi", "other"], "azp": "amphi"}
    check("several audiences, made for us", sign_in(s, p)[0] == 200)
    ec = Key(p.folder, "curve", "ES256")
    p.claims, p.published, p.signer = {}, [p.rsa, ec], ec
    check("ES256 too", sign_in(s, p)[0] == 200)
    p.published, p.signer = [p.rsa], p.rsa


def refused(s, p):
    now = int(time.time())
    other = Key(p.folder, "other")
    impostor = Key(p.folder, "x")
    impostor.kid = "one"  # claims to be the known key
    bad = []

    def attempt(name, claims=None, head=None, signer=None, raw=None, published=None):
        p.claims, p.head, p.raw = claims or {}, head or {}, raw
        p.signer, p.published = signer or p.rsa, published or [p.rsa]
        status, b = sign_in(s, p)
        if status != 403 or b.ask("GET", "/api/session")[1]["me"] is not None:
            bad.append((name, status))
        p.claims, p.head, p.raw, p.signer, p.published = {}, {}, None, p.rsa, [p.rsa]

    attempt("issuer", {"iss": "https://evil.example"})
    attempt("audience", {"aud": "another"})
    attempt("audience of many without azp", {"aud": ["amphi", "other"]})
    attempt("made for another", {"aud": "amphi", "azp": "other"})
    attempt("nonce", {"nonce": "A" * 43})
    attempt("no nonce", {"nonce": None})
    attempt("expired", {"exp": now - 120})
    attempt("of the future", {"iat": now + 600})
    attempt("old", {"iat": now - 3600})
    attempt("no subject", {"sub": None})
    attempt("the address of somebody known under another name", {"sub": "s9"})
    attempt("algorithm none", head={"alg": "none"})
    attempt("algorithm HS256", head={"alg": "HS256"})
    attempt("unknown extension", head={"crit": ["x"]})
    attempt("unknown key", signer=other)
    attempt("a key of the same name", signer=impostor)
    attempt("changed keys", published=[other])
    attempt("broken signature", raw=lambda sig: bytes([sig[0] ^ 1]) + sig[1:])
    attempt("cut signature", raw=lambda sig: sig[:-1])
    check("S25 19 kinds of bad token are refused", len(bad) == 0, bad)
    p.issuer_said = "https://evil.example"
    check("S25 a provider that says it is another is not used", sign_in(s, p)[0] == 502)
    p.issuer_said = None


def rounds(s, p):
    check("S25 wrong state", sign_in(s, p, state="A" * 43)[0] == 403)
    b = somewhere(s)
    b.ask("POST", "/api/provider", {})
    victim = somewhere(s)
    status, body = victim.ask("POST", "/api/provider", {})
    p.asked = {k: v[0] for k, v in
               urllib.parse.parse_qs(urllib.parse.urlparse(body["url"]).query).items()}
    state = p.asked["state"]
    status, _ = b.ask("POST", "/api/provider/finish", {"code": "c", "state": state})
    check("S25 the round of another browser cannot be finished here", status == 403, status)
    status, _ = victim.ask("POST", "/api/provider/finish", {"code": "c", "state": state})
    check("S29 and it still is the other's to finish", status == 200, status)
    status, _ = victim.ask("POST", "/api/provider/finish", {"code": "c", "state": state})
    check("S25 a round is finished once", status == 403, status)


def run():
    with tempfile.TemporaryDirectory() as folder:
        p = Provider(folder)
        with Server("--oidc.issuer", p.issuer, "--oidc.client_id", "amphi", "--oidc.name", "École",
                    "--oidc.staff_roles", "teacher", "--oidc.admin_roles", "chief", "--oidc.ca",
                    p.ca) as s:
            ready(s)
            token = open(s.data + "/keys/first-admin", encoding="utf-8").read()
            Browser(s).ask("POST", "/api/welcome", {"token": token, "name": "Ada",
                                                    "mail": "ada@example.org", "password": PASSWORD})
            check("the sign-in page names the provider",
                  Browser(s).ask("GET", "/api/session")[1]["provider"] == "École")
            good(s, p)
            refused(s, p)
            rounds(s, p)

#!/usr/bin/python3
"""An independent WebRTC stack (aiortc) at the standard doors: two publishers and one viewer, each
with its own SDP. Prints one line of JSON: what the viewer heard and saw."""
import asyncio
import fractions
import json
import math
import ssl
import sys
import time
import urllib.parse
import urllib.request

import aioice
import numpy
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from av import AudioFrame, VideoFrame

RATE = 48000
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


class Tone(AudioStreamTrack):
    """A sine of one frequency, 20 ms frames."""

    def __init__(self, hz):
        super().__init__()
        self.hz = hz
        self.at = 0
        self.begin = None

    async def recv(self):
        self.begin = self.begin or time.time()
        wait = self.begin + self.at / RATE - time.time()
        if wait > 0:
            await asyncio.sleep(wait)
        t = (numpy.arange(960) + self.at) / RATE
        pcm = (8000 * numpy.sin(2 * math.pi * self.hz * t)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self.at
        frame.time_base = fractions.Fraction(1, RATE)
        self.at += 960
        return frame


class Picture(VideoStreamTrack):
    """A plain colour with a moving bar."""

    def __init__(self, luma):
        super().__init__()
        self.luma = luma
        self.n = 0

    async def recv(self):
        pts, base = await self.next_timestamp()
        picture = numpy.full((180, 320, 3), self.luma, numpy.uint8)
        picture[:, self.n % 300:self.n % 300 + 20] = 255 - self.luma
        self.n += 4
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = pts
        frame.time_base = base
        return frame


def ask(method, url, token, body=None, headers=None):
    request = urllib.request.Request(url, body.encode() if body is not None else None, method=method)
    request.add_header("Authorization", "Bearer " + token)
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return answer.status, dict(answer.headers), answer.read().decode()


async def exchange(pc, url, token):
    """One POST; the address of the session."""
    await pc.setLocalDescription(await pc.createOffer())
    status, headers, sdp = await asyncio.get_event_loop().run_in_executor(
        None, ask, "POST", url, token, pc.localDescription.sdp, {"Content-Type": "application/sdp"})
    assert status == 201, status

    await pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
    names = {k.lower(): v for k, v in headers.items()}
    return urllib.parse.urljoin(url, names["location"])


class Paths:
    """What DTLS reads and writes, over one ICE connection after another: aiortc cannot restart ICE
    by itself. A restart takes a new socket too, and the old one is closed."""

    def __init__(self, pc):
        self.ice = pc.getTransceivers()[0].sender.transport.transport
        self.queue = asyncio.Queue()
        self.first = self.ice._connection
        asyncio.ensure_future(self.read(self.first))
        self.ice._recv = self.queue.get

    async def read(self, connection):
        while not connection._nominated:
            await asyncio.sleep(0.02)
        try:
            while True:
                await self.queue.put(await connection.recv())
        except ConnectionError:  # closed
            return

    async def restart(self, session, token):
        """New credentials by PATCH (RFC 9725 4.3.3), then media over the new path alone."""
        new = aioice.Connection(ice_controlling=True)
        await new.gather_candidates()
        lines = [f"a=ice-ufrag:{new.local_username}", f"a=ice-pwd:{new.local_password}",
                 "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0",
                 *(f"a=candidate:{c.to_sdp()}" for c in new.local_candidates),
                 "a=end-of-candidates", ""]
        status, _, body = await asyncio.get_event_loop().run_in_executor(
            None, ask, "PATCH", session, token, "\r\n".join(lines),
            {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"})
        assert status == 200, status
        told = dict(x[2:].split(":", 1) for x in body.split("\r\n") if x.startswith("a=ice-") and
                    ":" in x)
        new.remote_is_lite = True
        new.remote_username, new.remote_password = told["ice-ufrag"], told["ice-pwd"]
        for line in body.split("\r\n"):
            if line.startswith("a=candidate:"):
                await new.add_remote_candidate(aioice.Candidate.from_sdp(line[12:]))
        await new.add_remote_candidate(None)
        await new.connect()
        self.ice._connection, self.ice._send = new, new.send
        asyncio.ensure_future(self.read(new))
        await self.first.close()


async def publish(url, token, hz, luma):
    pc = RTCPeerConnection()
    pc.addTransceiver(Tone(hz), direction="sendonly")
    if luma is not None:
        pc.addTransceiver(Picture(luma), direction="sendonly")
    watch_paths(pc)
    return pc, token, await exchange(pc, url, token)


paths = {}  # of those that may restart


def watch_paths(pc):
    if jobs_of_all.get("restart"):
        paths[pc] = Paths(pc)


def power(pcm, hz):
    """Share of the sound that is this frequency: Goertzel over tenths of a second, so that a jump
    of the phase (a packet that came too late) costs one of them and not the sum."""
    n = RATE // 10
    t = numpy.arange(n) / RATE
    parts = [pcm[i:i + n] for i in range(0, len(pcm) - n + 1, n)] or [numpy.zeros(n)]
    z = [numpy.abs(numpy.sum(p * numpy.exp(-2j * math.pi * hz * t))) / n * 2 for p in parts]
    return float(numpy.mean(z) / 8000)


async def next_frame(track):
    try:
        return await track.recv()
    except MediaStreamError:  # closed
        return None


class Watcher:
    def __init__(self):
        self.pcm = []
        self.frames = 0
        self.size = None
        self.luma = None
        self.tasks = []

    def on_track(self, track):
        self.tasks.append(asyncio.ensure_future(
            self.hear(track) if track.kind == "audio" else self.see(track)))

    async def hear(self, track):
        while frame := await next_frame(track):
            data = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
            self.pcm.append(data[:, 0].astype(float))

    async def see(self, track):
        while frame := await next_frame(track):
            self.frames += 1
            self.size = f"{frame.width}x{frame.height}"
            self.luma = float(numpy.median(frame.to_ndarray(format="gray")))


async def watch(url, token, audio=True, video=True):
    pc = RTCPeerConnection()
    watcher = Watcher()
    pc.on("track", watcher.on_track)
    for kind, wanted in (("audio", audio), ("video", video)):
        if wanted:
            pc.addTransceiver(kind, direction="recvonly")
    watch_paths(pc)
    return pc, watcher, token, await exchange(pc, url, token)


async def until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        await asyncio.sleep(0.05)
    return bool(condition())


def dtls_of(pc):
    transceiver = pc.getTransceivers()[0]
    return transceiver.sender.transport


async def restarts(senders, viewers, patience):
    """One publisher after the other restarts, then a viewer: what still arrives after each."""
    got = []
    watchers = [w for _, w, *_ in viewers.values()]
    for who in [*senders, *viewers.values()]:
        pc, token, session = who[0], who[-2], who[-1]
        await paths[pc].restart(session, token)
        before = [(w.frames, len(w.pcm)) for w in watchers]
        goes_on = await until(lambda: all(w.frames >= f + 20 and len(w.pcm) >= p + 50
                                          for w, (f, p) in zip(watchers, before)), patience)
        heard = numpy.concatenate(watchers[0].pcm[-25:])
        got.append({"goes_on": goes_on, "tone": round(power(heard, 440), 3),
                    "frames": [w.frames - f for w, (f, _) in zip(watchers, before)]})
    return got


async def come_again(senders, viewers, patience):
    """Every publisher posts anew with its token, as an encoder that died: what each viewer hears
    once nothing of the former sessions can be under way any more."""
    jobs = jobs_of_all["publish"]
    fresh = [await publish(j["url"], j["token"], j["hz"], j.get("luma")) for j in jobs]
    for pc, *_ in senders:
        await pc.close()
    begun = {name: len(w.pcm) for name, (_, w, *_) in viewers.items()}
    heard = {}
    for name, (_, w, *_) in viewers.items():
        hears = [jobs[i]["hz"] for i in jobs_of_all["watch"][name]["hears"]]
        heard[name] = await until(
            lambda: len(w.pcm) >= begun[name] + 200 and
            all(power(numpy.concatenate(w.pcm[-50:]), hz) > 0.5 for hz in hears), patience)
    return fresh, heard


async def main(jobs):
    patience = float(jobs.get("patience", 15))
    result = {}
    senders = []
    for job in jobs["publish"]:
        senders.append(await publish(job["url"], job["token"], job["hz"], job.get("luma")))
    viewers = {}
    for name, job in jobs["watch"].items():
        viewers[name] = await watch(job["url"], job["token"], job.get("audio", True),
                                    job.get("video", True))
    for name, (pc, watcher, *_) in viewers.items():
        wants_audio = jobs["watch"][name].get("audio", True)
        wants_video = jobs["watch"][name].get("video", True)
        await until(lambda: (watcher.frames >= 20 or not wants_video) and
                    (len(watcher.pcm) >= 150 or not wants_audio), patience)
        pcm = numpy.concatenate(watcher.pcm[-50:]) if watcher.pcm else numpy.zeros(1)
        result[name] = {
            "frames": watcher.frames, "size": watcher.size, "luma": watcher.luma,
            "sound": len(watcher.pcm),
            "tones": {str(j["hz"]): round(power(pcm, j["hz"]), 3) for j in jobs["publish"]},
            "silence": round(power(pcm, 1760), 3), "state": pc.connectionState}
    if jobs.get("restart"):
        result["restarted"] = await restarts(senders, viewers, patience)
    if jobs.get("again"):
        senders, result["again"] = await come_again(senders, viewers, patience)
    print(json.dumps(result), flush=True)
    if jobs.get("hold"):
        await asyncio.get_event_loop().run_in_executor(None, sys.stdin.readline)
    told = 0
    for pc, *_, token, url in [*senders, *viewers.values()]:
        if jobs.get("vanish"):  # closes its media and says nothing by HTTP
            assert await until(lambda: dtls_of(pc).state == "connected", 60)
            await pc.close()
            continue
        status, _, _ = await asyncio.get_event_loop().run_in_executor(
            None, ask, "DELETE", url, token)
        assert status == 200, status
        told += await until(lambda: dtls_of(pc).state == "closed", 20)  # consent ends after 30 s
        await pc.close()
    print(json.dumps({"told": told}), flush=True)


jobs_of_all = json.loads(sys.argv[1])
asyncio.run(main(jobs_of_all))

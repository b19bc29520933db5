// Offers recorded from real browsers (5 audio and 16 video slots), shortened and answered.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compactOffer, expandAnswer, withAudioWishes } from '../../src/wire/compact.ts';
import type { Answer } from '../../src/wire/messages.ts';
import { codecsOf, extensionsOf, parseSdp } from '../../src/wire/sdp.ts';

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}.sdp`, import.meta.url), 'utf8');
const browsers = { chromium: fixture('chromium-156'), firefox: fixture('firefox-153') };
const answer: Answer = {
  u: 'srvu', p: 'srvpasswordsrvpassword12', f: 'ab'.repeat(32), b: 700_000_000,
  c: [[4, '192.0.2.7', 5004, 'udp'], [6, '2001:db8::7', 5004, 'udp'], [4, '192.0.2.7', 5004, 'tcp']],
};

for (const [name, sdp] of Object.entries(browsers)) {
  test(`${name}: the offer in compact form`, () => {
    const offer = compactOffer(sdp);
    assert.deepEqual(offer.n, [5, 16]);
    assert.match(offer.f, /^[0-9a-f]{64}$/);
    assert.ok(offer.u.length >= 4 && offer.p.length >= 22);
    assert.equal(offer.s.filter((ssrc) => ssrc > 0).length, 4, 'microphone, screen with repair, sound');
    assert.equal(offer.s[1], 0, 'simulcast is known by mid and rid');
    assert.equal(new Set(offer.s).size, 5);
    assert.equal(offer.v.vp8.length, 2);
    assert.ok(offer.v.vp9 && offer.v.av1);
    for (const key of ['mid', 'level', 'twcc'] as const) assert.ok(offer.xa[key], key);
    for (const key of ['mid', 'rid', 'rrid', 'twcc'] as const) assert.ok(offer.xv[key], key);
    assert.ok(JSON.stringify(offer).length < 1000);
  });

  test(`${name}: every section of the offer agrees with the one map`, () => {
    const offer = compactOffer(sdp);
    for (const section of parseSdp(sdp).sections) {
      const codecs = codecsOf(section);
      const first = codecs.find((c) => c.name === (section.kind === 'audio' ? 'opus' : 'vp8'));
      assert.equal(first?.pt, section.kind === 'audio' ? offer.a.opus[0] : offer.v.vp8[0]);
      assert.equal(extensionsOf(section).get('urn:ietf:params:rtp-hdrext:sdes:mid'), section.kind === 'audio' ? offer.xa.mid : offer.xv.mid);
    }
  });

  test(`${name}: the answer fits the offer section by section`, () => {
    const offered = parseSdp(sdp);
    const text = expandAnswer(sdp, answer);
    const answered = parseSdp(text);
    assert.equal(answered.sections.length, 25);
    assert.ok(answered.session.includes('a=ice-lite') && answered.session.includes('a=setup:passive'));
    answered.sections.forEach((section, i) => {
      const asked = offered.sections[i]!;
      assert.equal(section.mid, asked.mid);
      assert.equal(section.mid, String(i));
      assert.equal(section.kind, asked.kind);
      assert.equal(section.direction, i < 4 ? 'recvonly' : 'sendonly');
      const pts = new Set(codecsOf(asked).map((c) => c.pt));
      for (const codec of codecsOf(section)) assert.ok(pts.has(codec.pt) && codec.name !== '', `pt ${codec.pt}`);
      for (const [uri, id] of extensionsOf(section)) assert.equal(extensionsOf(asked).get(uri), id);
      const redundant = codecsOf(section)[0]?.name === 'red';
      assert.equal(redundant, name === 'chromium' && i === 0, 'only the microphone repeats itself, where the browser can');
    });
    assert.deepEqual(answered.sections[1]!.lines.filter((l) => l.startsWith('a=rid') || l.startsWith('a=simulcast')), [
      'a=rid:h recv', 'a=rid:m recv', 'a=rid:l recv', 'a=simulcast:recv h;m;l',
    ]);
  });

  test(`${name}: slot k has SSRC b+2k and repair b+2k+1; three candidates stand once`, () => {
    const lines = expandAnswer(sdp, answer).split('\r\n');
    assert.deepEqual(
      lines.filter((l) => l.startsWith('a=ssrc-group:')).map((l) => l.slice(17)),
      Array.from({ length: 16 }, (_, k) => `${answer.b + 2 * (k + 5)} ${answer.b + 2 * (k + 5) + 1}`),
    );
    assert.equal(lines.filter((l) => l === `a=ssrc:${answer.b + 8} cname:amphi`).length, 1);
    const candidates = lines.filter((l) => l.startsWith('a=candidate:'));
    assert.equal(candidates.length, 3);
    assert.match(candidates[0] ?? '', /^a=candidate:1 1 udp \d+ 192\.0\.2\.7 5004 typ host$/);
    assert.match(candidates[2] ?? '', /^a=candidate:3 1 tcp \d+ 192\.0\.2\.7 5004 typ host tcptype passive$/);
    for (const candidate of candidates) {
      const priority = Number(candidate.split(' ')[3]);
      assert.ok(priority > 0 && priority < 2 ** 31);
    }
    const priorities = candidates.map((candidate) => [candidate.split(' ')[2], Number(candidate.split(' ')[3])] as const);
    const of = (kind: string): number[] => priorities.filter(([k]) => k === kind).map(([, p]) => p);
    assert.ok(Math.min(...of('udp')) > Math.max(...of('tcp')), 'every UDP before every TCP');
    const alone = expandAnswer(sdp, answer, ['udp']).split('\r\n').filter((l) => l.startsWith('a=candidate:'));
    assert.deepEqual(alone, candidates.filter((l) => l.includes(' udp ')));
  });
}

test('stereo is asked once in every audio section and nowhere else', () => {
  const sdp = browsers.chromium.replaceAll(';stereo=1', '').replaceAll('stereo=1;', '');
  const stereo = withAudioWishes(sdp).split('\r\n').filter((l) => l.includes('stereo=1'));
  assert.equal(stereo.length, 7);
  assert.equal(withAudioWishes(withAudioWishes(sdp)), withAudioWishes(sdp));
  const nacks = withAudioWishes(sdp).split('\r\n').filter((l) => /^a=rtcp-fb:\d+ nack$/.test(l));
  assert.ok(nacks.length >= stereo.length);
});

test('H.264 is listed only in the profile all can decode', () => {
  const sdp = browsers.chromium;
  const { h264 } = compactOffer(sdp).v;
  assert.ok(h264);
  assert.match(sdp, new RegExp(`a=fmtp:${h264[0]} [^\\r]*packetization-mode=1;profile-level-id=42e0`));
});

test('a description without VP8 is refused, not guessed', () => {
  assert.throws(() => compactOffer(browsers.chromium.replaceAll('VP8/90000', 'VP7/90000')));
});

test('the dependency descriptor is agreed on where pictures come in, and where AV1 goes out', () => {
  const dd = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';
  const has = (sdp: string): boolean[] => parseSdp(expandAnswer(sdp, answer)).sections
    .filter((s) => s.kind === 'video').map((s) => extensionsOf(s).has(dd));
  const sections = parseSdp(browsers.chromium);
  const camera = sections.sections[1]!;
  camera.lines = camera.lines.filter((l) => !l.includes(dd));
  camera.lines.push(`a=extmap:13 ${dd}`);
  const line = camera.lines.findIndex((l) => l.startsWith('m='));
  const text = (): string => [...sections.session, ...sections.sections.flatMap((s) => s.lines), ''].join('\r\n');
  assert.equal(has(text())[0], false, 'VP8 would lose its picture numbers');
  const av1 = codecsOf(camera).find((c) => c.name === 'av1')!.pt;
  const words = camera.lines[line]!.split(' ');
  camera.lines[line] = [...words.slice(0, 3), String(av1), ...words.slice(3).filter((w) => w !== String(av1))].join(' ');
  assert.equal(has(text())[0], true, 'AV1 cannot do without');
  assert.ok(expandAnswer(browsers.chromium, answer).includes('a=extmap-allow-mixed'));
});

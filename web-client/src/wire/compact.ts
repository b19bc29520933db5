// One offer and one answer in compact form (under 1 KB each way instead of 100 KB of SDP).
// The page describes its own SDP in a few numbers and writes the SDP answer itself from the
// server's few numbers. Sections: 0 microphone, 1 camera, 2 screen, 3 screen sound, then the
// audio slots, then the video slots. Out of scope: candidates of the page (the server is ICE-lite).
import { AUDIO_EXTENSIONS, VIDEO_EXTENSIONS } from './extensions.ts';
import type { Answer, AudioCodecs, Offer, VideoCodecs } from './messages.ts';
import { attribute, codecsOf, extensionsOf, parseSdp, ssrcsOf } from './sdp.ts';
import type { Codec, Description, Section } from './sdp.ts';

export const SEND_SECTIONS = 4;
const AUDIO_FEEDBACK = ['transport-cc', 'nack'];
const FEEDBACK = ['transport-cc', 'ccm fir', 'nack', 'nack pli'];
const VIDEO_NAMES = ['vp8', 'vp9', 'h264', 'av1'] as const;

/** One profile per codec: the first one every browser of the class can decode. */
function chosen(codecs: readonly Codec[], name: string): Codec | undefined {
  const all = codecs.filter((c) => c.name === name);
  if (name === 'h264') {
    return all.find((c) => c.fmtp.includes('packetization-mode=1') && /profile-level-id=42e0/i.test(c.fmtp));
  }
  if (name === 'vp9') return all.find((c) => c.fmtp === '' || c.fmtp.includes('profile-id=0')) ?? all[0];
  return all[0];
}

function withRepair(codecs: readonly Codec[], codec: Codec): number[] {
  const repair = codecs.find((c) => c.name === 'rtx' && c.fmtp.split(';')[0] === `apt=${codec.pt}`);
  return repair ? [codec.pt, repair.pt] : [codec.pt];
}

function sectionAt(description: Description, index: number): Section {
  const section = description.sections[index];
  if (section === undefined) throw new Error(`offer has no section ${index}`);
  return section;
}

/** Ids of the known extensions over all sections of a kind; one map holds for the whole offer. */
function extensionIds(sections: readonly Section[], names: Record<string, string>): Record<string, number> {
  const ids: Record<string, number> = {};
  for (const section of sections) {
    const found = extensionsOf(section);
    for (const [short, address] of Object.entries(names)) {
      const id = found.get(address);
      if (id !== undefined) ids[short] ??= id;
    }
  }
  return ids;
}

/** Lines that stand once per session in some browsers and once per section in others. */
function transportAttribute(description: Description, name: string): string {
  return attribute(description.session, name) || attribute(description.sections[0]?.lines ?? [], name);
}

export function compactOffer(sdp: string): Offer {
  const description = parseSdp(sdp);
  const mic = sectionAt(description, 0);
  const camera = sectionAt(description, 1);
  const screen = sectionAt(description, 2);
  const sound = sectionAt(description, 3);
  const slots = description.sections.slice(SEND_SECTIONS);
  const audio = description.sections.filter((s) => s.kind === 'audio');
  const video = description.sections.filter((s) => s.kind === 'video');

  const micCodecs = codecsOf(mic);
  const opus = chosen(micCodecs, 'opus');
  const cameraCodecs = codecsOf(camera);
  const vp8 = chosen(cameraCodecs, 'vp8');
  if (!opus || !vp8) throw new Error('this browser offers neither Opus nor VP8');
  const red = chosen(micCodecs, 'red');
  const a: AudioCodecs = red ? { opus: [opus.pt], red: [red.pt] } : { opus: [opus.pt] };
  const v: VideoCodecs = { vp8: withRepair(cameraCodecs, vp8) };
  for (const name of ['vp9', 'h264', 'av1'] as const) {
    const codec = chosen(cameraCodecs, name);
    if (codec) v[name] = withRepair(cameraCodecs, codec);
  }
  const fingerprint = transportAttribute(description, 'fingerprint').replace(/^sha-256 /i, '');
  const [screenSsrc, screenRepair] = ssrcsOf(screen);
  return {
    u: transportAttribute(description, 'ice-ufrag'),
    p: transportAttribute(description, 'ice-pwd'),
    f: fingerprint.replaceAll(':', '').toLowerCase(),
    n: [slots.filter((s) => s.kind === 'audio').length, slots.filter((s) => s.kind === 'video').length],
    a,
    v,
    xa: extensionIds(audio, AUDIO_EXTENSIONS),
    xv: extensionIds(video, VIDEO_EXTENSIONS),
    s: [ssrcsOf(mic)[0], 0, screenSsrc, screenRepair, ssrcsOf(sound)[0]],
  };
}

/** One a line, without "a=". UDP is preferred to TCP wherever it is (RFC 6544 4.2), then by place. */
export function candidateLines(answer: Answer, of: readonly ('udp' | 'tcp')[]): string[] {
  return answer.c.flatMap(([, address, port, transport], i) => {
    if (!of.includes(transport)) return [];
    const priority = ((transport === 'tcp' ? 90 : 126) << 24) + ((65535 - i) << 8) + 255;
    const tail = transport === 'tcp' ? ' tcptype passive' : '';
    return [`candidate:${i + 1} 1 ${transport} ${priority} ${address} ${port} typ host${tail}`];
  });
}

/** `redundant`: the microphone repeats itself (RED first is what makes a browser send it). */
function codecLines(
  section: Section, allowed: ReadonlySet<number>, redundant: boolean,
): { pts: number[]; lines: string[] } {
  const kept = codecsOf(section).filter((c) => allowed.has(c.pt));
  if (redundant) kept.sort((a, b) => Number(b.name === 'red') - Number(a.name === 'red'));
  const lines: string[] = [];
  for (const { pt, name } of kept) {
    for (const line of section.lines) {
      if (line.startsWith(`a=rtpmap:${pt} `) || line.startsWith(`a=fmtp:${pt} `)) lines.push(line);
    }
    if (name === 'rtx' || name === 'red') continue;
    const wanted = section.kind === 'audio' ? AUDIO_FEEDBACK : FEEDBACK;
    for (const feedback of wanted) {
      const line = `a=rtcp-fb:${pt} ${feedback}`;
      if (section.lines.includes(line) || section.lines.includes(`a=rtcp-fb:* ${feedback}`)) lines.push(line);
    }
  }
  return { pts: kept.map((c) => c.pt), lines };
}

function extensionLines(section: Section, index: number, known: ReadonlySet<string>): string[] {
  const described = index >= SEND_SECTIONS || codecsOf(section)[0]?.name === 'av1';
  return [...extensionsOf(section)].filter(([uri]) => known.has(uri) && (described || uri !== VIDEO_EXTENSIONS.dd)).map(([uri, id]) => `a=extmap:${id} ${uri}`);
}

function directionLines(section: Section, index: number, answer: Answer): string[] {
  if (index >= SEND_SECTIONS) {
    const slot = index - SEND_SECTIONS;
    const ssrc = answer.b + 2 * slot;
    const lines = ['a=sendonly', `a=msid:slot${slot} slot${slot}`];
    // The first SSRC named is the stream itself to Chromium, whatever the group says.
    const own = `a=ssrc:${ssrc} cname:amphi`;
    if (section.kind !== 'video') return [...lines, own];
    return [...lines, `a=ssrc-group:FID ${ssrc} ${ssrc + 1}`, own, `a=ssrc:${ssrc + 1} cname:amphi`];
  }
  const rids = section.lines
    .map((line) => /^a=rid:(\S+) send/.exec(line)?.[1])
    .filter((rid): rid is string => rid !== undefined);
  if (rids.length === 0) return ['a=recvonly'];
  return ['a=recvonly', ...rids.map((rid) => `a=rid:${rid} recv`), `a=simulcast:recv ${rids.join(';')}`];
}

/** Long and short header extensions side by side: the structure of a layered stream needs long ones. */
function mixedLine(description: Description): string[] {
  const line = 'a=extmap-allow-mixed';
  const offered = description.session.includes(line) || description.sections.every((s) => s.lines.includes(line));
  return offered ? [line] : [];
}

/** Writes the SDP answer that fits our own offer, with the candidates `of` these transports. */
export function expandAnswer(offerSdp: string, answer: Answer, of: readonly ('udp' | 'tcp')[] = ['udp', 'tcp']): string {
  const description = parseSdp(offerSdp);
  const offer = compactOffer(offerSdp);
  const pts = new Set<number>([...offer.a.opus, ...(offer.a.red ?? [])]);
  for (const name of VIDEO_NAMES) for (const pt of offer.v[name] ?? []) pts.add(pt);
  const known = new Set<string>([...Object.values(AUDIO_EXTENSIONS), ...Object.values(VIDEO_EXTENSIONS)]);
  const fingerprint = (answer.f.match(/../g) ?? []).join(':').toUpperCase();
  const lines = [
    'v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0',
    `a=group:BUNDLE ${description.sections.map((s) => s.mid).join(' ')}`,
    'a=ice-lite', `a=ice-ufrag:${answer.u}`, `a=ice-pwd:${answer.p}`,
    `a=fingerprint:sha-256 ${fingerprint}`, 'a=setup:passive', ...mixedLine(description),
  ];
  description.sections.forEach((section, index) => {
    const codecs = codecLines(section, pts, index === 0);
    lines.push(
      `m=${section.kind} 9 UDP/TLS/RTP/SAVPF ${codecs.pts.join(' ')}`,
      'c=IN IP4 0.0.0.0', `a=mid:${section.mid}`, 'a=rtcp-mux', 'a=rtcp-rsize',
      ...codecs.lines, ...extensionLines(section, index, known), ...directionLines(section, index, answer),
    );
    if (index === 0) lines.push(...candidateLines(answer, of).map((line) => `a=${line}`));
  });
  return `${lines.join('\r\n')}\r\n`;
}

/** Asks for stereo and for repair by request (which browsers do, but do not offer) in every audio
 * section; all sections share one payload type, so all must agree. */
export function withAudioWishes(sdp: string): string {
  const description = parseSdp(sdp);
  for (const section of description.sections) {
    const opus = codecsOf(section).find((c) => c.name === 'opus');
    if (!opus) continue;
    const stereo = opus.fmtp.includes('stereo=') ? '' : ';stereo=1';
    const nack = `a=rtcp-fb:${opus.pt} nack`;
    section.lines = section.lines.flatMap((l) => {
      if (l.startsWith(`a=fmtp:${opus.pt} `)) return [`${l}${stereo}`];
      return l.startsWith(`a=rtpmap:${opus.pt} `) && !section.lines.includes(nack) ? [l, nack] : [l];
    });
  }
  return [...description.session, ...description.sections.flatMap((s) => s.lines), ''].join('\r\n');
}

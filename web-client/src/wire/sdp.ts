// The small part of SDP (RFC 8866, RFC 8829) needed to shorten an offer and to lengthen an answer.
// Lines are kept as they came; nothing here knows what a codec means.

export interface Section {
  kind: 'audio' | 'video';
  mid: string;
  direction: string;
  lines: string[];
}
export interface Description { session: string[]; sections: Section[] }
export interface Codec { pt: number; name: string; fmtp: string }

const DIRECTIONS = ['sendonly', 'recvonly', 'sendrecv', 'inactive'];

/** Value of the first `a=<name>:` line, or the empty string. */
export function attribute(lines: readonly string[], name: string): string {
  const head = `a=${name}:`;
  return lines.find((line) => line.startsWith(head))?.slice(head.length) ?? '';
}

export function parseSdp(text: string): Description {
  const session: string[] = [];
  const sections: Section[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    if (line.startsWith('m=')) {
      const kind = line.startsWith('m=audio') ? 'audio' : 'video';
      sections.push({ kind, mid: '', direction: 'sendrecv', lines: [line] });
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) {
      session.push(line);
      continue;
    }
    section.lines.push(line);
    if (line.startsWith('a=mid:')) section.mid = line.slice(6);
    else if (DIRECTIONS.includes(line.slice(2))) section.direction = line.slice(2);
  }
  return { session, sections };
}


/** Codecs of a section in order of preference, with names in lower case. */
export function codecsOf(section: Section): Codec[] {
  const order = (section.lines[0] ?? '').split(' ').slice(3).map(Number);
  const fmtp = new Map<number, string>();
  const names = new Map<number, string>();
  for (const line of section.lines) {
    const map = /^a=rtpmap:(\d+) ([^/]+)/.exec(line);
    if (map) names.set(Number(map[1]), (map[2] ?? '').toLowerCase());
    const params = /^a=fmtp:(\d+) (.*)$/.exec(line);
    if (params) fmtp.set(Number(params[1]), params[2] ?? '');
  }
  return order.map((pt) => ({ pt, name: names.get(pt) ?? '', fmtp: fmtp.get(pt) ?? '' }));
}

/** Header extensions of a section: address to id. */
export function extensionsOf(section: Section): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of section.lines) {
    const match = /^a=extmap:(\d+)(?:\/\w+)? (\S+)/.exec(line);
    if (match && match[1] !== undefined && match[2] !== undefined) found.set(match[2], Number(match[1]));
  }
  return found;
}

/** SSRCs of a section: [media, retransmission], zero where unknown. */
export function ssrcsOf(section: Section): [number, number] {
  const group = attribute(section.lines, 'ssrc-group').split(' ');
  if (group[0] === 'FID') return [Number(group[1] ?? 0), Number(group[2] ?? 0)];
  return [Number(attribute(section.lines, 'ssrc').split(' ')[0] ?? 0), 0];
}

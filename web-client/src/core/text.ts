// Small things done to names and messages before they are shown.

/** One or two letters standing for a name; whole characters, not code units. */
export function initials(name: string): string {
  const words = name.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((w) => [...(w ?? '')][0] ?? '');
  return letters.join('').toLocaleUpperCase();
}

/** A stable number in 0..count-1 for a text: the tint of a person without a picture. */
export function tintOf(id: string, count: number): number {
  let hash = 0;
  for (const c of id) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) >>> 0;
  return hash % count;
}

export type Piece = { text: string; href?: string };
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/gu;

/** Splits a message into text and web addresses; everything stays text, nothing becomes markup. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    if (match.index > end) out.push({ text: text.slice(end, match.index) });
    out.push({ text: match[0], href: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) out.push({ text: text.slice(end) });
  return out;
}

/** Link of a class as typed or pasted: the path and fragment to open on this server. */
export function classPath(pasted: string, origin: string): string | undefined {
  const text = pasted.trim();
  try {
    const url = new URL(text, origin);
    if (url.origin !== origin || !/^\/c\/[A-Za-z0-9_-]+$/.test(url.pathname)) return undefined;
    return `${url.pathname}${url.hash}`;
  } catch {
    return undefined;
  }
}

/** True when every letter of the query comes in this order in the text; case and accents do not count. */
export function matches(query: string, text: string): boolean {
  const plain = (s: string): string => s.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
  let at = 0;
  const hay = plain(text);
  for (const c of plain(query).replace(/\s+/g, '')) {
    at = hay.indexOf(c, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

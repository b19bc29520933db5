// Which source sits in which receive slot. A source keeps its slot as long as it is wished for, so
// that a tile never changes its picture element; newcomers take free slots; who is not wished for leaves.
import type { Person, SourceKind, Want } from '../wire/messages.ts';

export interface Wish { device: string; source: SourceKind; height: number }

/** The server sends steps of these heights; a tile asks for the next one above its size. */
const HEIGHTS = [90, 180, 360, 720, 1080];

export function heightFor(tileHeight: number, pixelRatio: number): number {
  const need = tileHeight * Math.min(pixelRatio, 2) * 0.85;
  return HEIGHTS.find((h) => h >= need) ?? 1080;
}

/** The same wishes; those that rest keep their slot and get no picture. */
export function resting(wishes: readonly Wish[], rests: (wish: Wish) => boolean): Wish[] {
  return wishes.map((wish) => (rests(wish) ? { ...wish, height: 0 } : wish));
}

const keyOf = (device: string, source: SourceKind): string => `${device}/${source}`;

/**
 * What to ask for the moment the class is known, before its tiles are drawn and measured: screens,
 * then cameras, in sizes such a number of people can have. The tiles correct it, the slots stay.
 */
export function firstWishes(people: readonly Person[], own: string): Wish[] {
  const devices = people.flatMap((p) => p.devices).filter((d) => d.id !== own);
  const screens = devices.filter((d) => d.screen).map((d): Wish => ({ device: d.id, source: 'screen', height: 720 }));
  const cameras = devices.filter((d) => d.cam);
  const height = cameras.length > 4 || screens.length > 0 ? 180 : 360;
  return [...screens, ...cameras.map((d): Wish => ({ device: d.id, source: 'cam', height }))];
}

/** `wishes` in order of importance; those beyond `slots` get none. */
export function assignSlots(previous: readonly Want[], wishes: readonly Wish[], slots: number): Want[] {
  const kept = wishes.slice(0, slots);
  const places = new Map<string, number>(previous.map(([slot, device, source]) => [keyOf(device, source), slot]));
  const taken = new Set<number>();
  const result: Want[] = [];
  for (const wish of kept) {
    const slot = places.get(keyOf(wish.device, wish.source));
    if (slot === undefined || slot >= slots || taken.has(slot)) continue;
    taken.add(slot);
    result.push([slot, wish.device, wish.source, wish.height]);
  }
  const seated = new Set(result.map(([, device, source]) => keyOf(device, source)));
  let free = 0;
  for (const wish of kept) {
    if (seated.has(keyOf(wish.device, wish.source))) continue;
    while (taken.has(free)) free += 1;
    taken.add(free);
    result.push([free, wish.device, wish.source, wish.height]);
  }
  return result.sort((a, b) => a[0] - b[0]);
}

export function sameWants(a: readonly Want[], b: readonly Want[]): boolean {
  return a.length === b.length && a.every((want, i) => want.every((value, k) => value === b[i]?.[k]));
}

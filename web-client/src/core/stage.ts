// Who and what is on the stage, in a stable order, and in which arrangement.
import type { Device, Person, SourceKind } from '../wire/messages.ts';
import { ALONE_TEXT_HEIGHT, GAP, RING_MAX, gridCapacity, gridLayout, ringLayout, speakerLayout, stripCapacity } from './layout.ts';
import type { Rect } from './layout.ts';
import { handsInOrder, ringOrder } from './floor.ts';
import { personOf } from './state.ts';
import type { ClassState } from './state.ts';

export type ViewChoice = 'auto' | 'ring' | 'grid' | 'speaker';
const PAGER_HEIGHT = 52;
/** Who sits around the table without a place at it: one low row. */
const AROUND = { w: 112, h: 76 };

export interface Tile {
  key: string; person: Person; device: string; source: SourceKind;
  self: boolean; mic: boolean; picture: boolean; rank: number;
}
export interface Placed { tile: Tile; rect: Rect; role: 'main' | 'seat' }
export interface Arrangement {
  kind: 'ring' | 'grid' | 'speaker'; placed: Placed[]; table: Rect | undefined; centre: Rect | undefined;
  page: number; pages: number;
}

/** Seats around the table: host first, then by arrival. The same on every screen. */
export function seatOrder(people: readonly Person[]): Person[] {
  const rank = (p: Person): number => (p.role === 'host' ? 0 : 1);
  return [...people].sort((a, b) => rank(a) - rank(b) || a.joined - b.joined || (a.id < b.id ? -1 : 1));
}

function tile(state: ClassState, person: Person, device: Device | undefined, source: SourceKind): Tile {
  const id = device?.id ?? person.id;
  return {
    key: `${id}/${source}`, person, device: id, source,
    self: id === state.you.device,
    mic: device?.mic === 'on',
    picture: (source === 'cam' ? device?.cam : device?.screen) ?? false,
    rank: source === 'cam' ? handsInOrder(state).findIndex((h) => h.person === person.id) + 1 : 0,
  };
}

/** One seat per person, and one more per further device that shows a camera. */
export function tilesOf(state: ClassState): { seats: Tile[]; screens: Tile[] } {
  const seats: Tile[] = [];
  const screens: Tile[] = [];
  const order = seatOrder(state.people.filter((p) => p.room === personOf(state, state.you.person)?.room));
  for (const person of state.class.type === 'round-table' ? ringOrder(state, order) : order) {
    const cameras = person.devices.filter((d) => d.cam);
    const own = person.devices.find((d) => d.id === state.you.device);
    const first = own ?? cameras[0] ?? person.devices[0];
    seats.push(tile(state, person, first, 'cam'));
    for (const device of cameras) if (device !== first) seats.push(tile(state, person, device, 'cam'));
    for (const device of person.devices) if (device.screen) screens.push(tile(state, person, device, 'screen'));
  }
  return { seats, screens };
}

export interface StageInput {
  box: Rect; choice: ViewChoice; pinned: string; speaker: string; page: number; screenAspect: number; slots: number;
}

function chooseKind(input: StageInput, seats: number): Arrangement['kind'] {
  const narrow = input.box.w < 600 || input.box.h < 320;
  if (input.choice === 'grid' || input.choice === 'speaker') return input.choice;
  if (narrow) return input.pinned !== '' || seats > 2 ? 'speaker' : 'grid';
  if (seats > RING_MAX) return 'grid';
  return input.choice === 'ring' || seats <= 12 ? 'ring' : 'grid';
}

/** A round table and, in a row below it, those who have no place at it; undefined when they are too many. */
function tableAndAround(state: ClassState, input: StageInput, seats: Tile[]): Arrangement | undefined {
  if (state.class.type !== 'round-table' || (input.choice !== 'auto' && input.choice !== 'ring')) return undefined;
  const at = seats.filter((s) => state.floor.ring.includes(s.person.id));
  const around = seats.filter((s) => !at.includes(s));
  const { box } = input;
  const narrow = box.w < 600 || box.h < 320;
  if (narrow || at.length < 3 || at.length > RING_MAX || around.length > Math.floor(box.w / AROUND.w)) return undefined;
  const foot = around.length > 0 ? AROUND.h + GAP : 0;
  const ring = ringLayout({ ...box, h: box.h - foot }, at.length, 0);
  const row = gridLayout({ ...box, y: box.y + box.h - AROUND.h, h: AROUND.h }, around.length);
  return place('ring', undefined, [...at, ...around], [...ring.seats, ...row], ring.table, ring.centre, 0, 1);
}

function paged(seats: Tile[], capacity: number, page: number): { shown: Tile[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(seats.length / capacity));
  const current = Math.min(Math.max(0, page), pages - 1);
  return { shown: seats.slice(current * capacity, (current + 1) * capacity), page: current, pages };
}

export function arrange(state: ClassState, input: StageInput): Arrangement {
  const { seats, screens } = tilesOf(state);
  const all = [...screens, ...seats];
  const shared = screens.find((s) => s.key === input.pinned) ?? screens.at(-1);
  const extra = screens.filter((s) => s !== shared);
  let kind = chooseKind(input, seats.length);
  const pinned = all.find((t) => t.key === input.pinned);
  let main = pinned ?? shared;
  if (kind === 'speaker' && !main) {
    main = seats.find((t) => t.device === input.speaker) ?? seats.find((t) => !t.self) ?? seats[0];
  }
  // The holder's seat comes forward where the table cannot show all.
  const holder = state.floor.turn?.person;
  if (kind === 'speaker' && !pinned && !shared && holder) main = seats.find((t) => t.person.id === holder) ?? main;
  // On a tall stage what is shared would be squeezed between two columns: the table unrolls below it.
  if (main && (kind === 'grid' || input.box.h > input.box.w)) kind = 'speaker';
  const rest = main ? [...extra, ...seats].filter((t) => t !== main) : seats;
  const table = main ? undefined : tableAndAround(state, input, seats);
  if (table) return table;

  if (kind === 'grid' || !main) {
    if (kind === 'ring') {
      const ring = ringLayout(input.box, rest.length, 0);
      return place('ring', undefined, rest, ring.seats, ring.table, ring.centre, 0, 1);
    }
    const paging = rest.length > gridCapacity(input.box, input.slots);
    // A row of buttons takes the foot when there are more pages, words when one is alone.
    const foot = paging ? PAGER_HEIGHT : all.length === 1 ? ALONE_TEXT_HEIGHT : 0;
    const box = { ...input.box, h: Math.max(80, input.box.h - foot) };
    const cut = paged(rest, gridCapacity(box, input.slots), input.page);
    return place('grid', undefined, cut.shown, gridLayout(box, cut.shown.length), undefined, undefined,
      cut.page, cut.pages);
  }
  const aspect = main.source === 'screen' ? input.screenAspect : 16 / 9;
  if (kind === 'ring') {
    const ring = ringLayout(input.box, rest.length, aspect);
    return place('ring', main, rest, ring.seats, undefined, ring.centre, 0, 1);
  }
  const capacity = Math.max(1, Math.min(stripCapacity(input.box, aspect), input.slots - 1));
  const paging = rest.length > capacity;
  // A row of buttons takes the foot when there are more pages.
  const box = paging ? { ...input.box, h: input.box.h - PAGER_HEIGHT } : input.box;
  const cut = paged(rest, paging ? Math.max(1, Math.min(stripCapacity(box, aspect), input.slots - 1)) : capacity, input.page);
  const spot = speakerLayout(box, cut.shown.length, aspect);
  return place('speaker', main, cut.shown, spot.seats, undefined, spot.centre, cut.page, cut.pages);
}

function place(
  kind: Arrangement['kind'], main: Tile | undefined, rest: Tile[], rects: Rect[],
  table: Rect | undefined, centre: Rect | undefined, page: number, pages: number,
): Arrangement {
  const placed: Placed[] = [];
  if (main && centre) placed.push({ tile: main, rect: centre, role: 'main' });
  rest.forEach((t, i) => {
    const rect = rects[i];
    if (rect) placed.push({ tile: t, rect, role: 'seat' });
  });
  return { kind, placed, table, centre, page, pages };
}

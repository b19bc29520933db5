// Where everything stands on the stage. Pure geometry: sizes in CSS pixels in, rectangles out.
export interface Rect { x: number; y: number; w: number; h: number }
export interface Placement { seats: Rect[]; centre: Rect | undefined; table: Rect | undefined }

export const GAP = 12;
export const RING_MAX = 24;
const WIDE = 16 / 9;
export const ALONE_TEXT_HEIGHT = 96;

/** The largest rectangle of the given shape inside `box`, centred. */
export function fitInside(box: Rect, aspect: number): Rect {
  const w = Math.min(box.w, box.h * aspect);
  const h = w / aspect;
  return { x: box.x + (box.w - w) / 2, y: box.y + (box.h - h) / 2, w, h };
}

/** A grid of equal tiles as large as they can be; tiles of the last row are centred. */
export function gridLayout(box: Rect, count: number, gap = GAP): Rect[] {
  if (count === 0) return [];
  let best = { w: 0, h: 0, columns: 1 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellW = (box.w - gap * (columns - 1)) / columns;
    const cellH = (box.h - gap * (rows - 1)) / rows;
    const h = Math.min(cellH, cellW / (4 / 3));
    const w = Math.min(cellW, h * WIDE);
    if (w * h > best.w * best.h) best = { w, h, columns };
  }
  const { w, h, columns } = best;
  const rows = Math.ceil(count / columns);
  const top = box.y + (box.h - rows * h - gap * (rows - 1)) / 2;
  return Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = box.x + (box.w - inRow * w - gap * (inRow - 1)) / 2;
    return { x: left + (i - row * columns) * (w + gap), y: top + row * (h + gap), w, h };
  });
}

/** How many tiles a page of the grid holds so that each stays readable. */
export function gridCapacity(box: Rect, max: number): number {
  const minWidth = box.w < 600 ? 140 : 200;
  const columns = Math.max(1, Math.floor((box.w + GAP) / (minWidth + GAP)));
  const rows = Math.max(1, Math.floor((box.h + GAP) / (minWidth * 0.62 + GAP)));
  return Math.max(1, Math.min(max, columns * rows));
}

/** One large picture, the others in a strip beside it (wide stage) or below it (tall stage). */
export function speakerLayout(box: Rect, others: number, aspect = WIDE): Placement {
  if (others === 0) return { seats: [], centre: { ...box }, table: undefined };
  if (isWide(box)) {
    const single = stripRows(box);
    const stripW = others > single ? Math.min(340, box.w * 0.26) : Math.min(240, Math.max(132, box.w * 0.17));
    const centre = { x: box.x, y: box.y, w: box.w - stripW - GAP, h: box.h };
    const strip = { x: box.x + box.w - stripW, y: box.y, w: stripW, h: box.h };
    return { seats: gridLayout(strip, others, 8), centre, table: undefined };
  }
  const mainH = tallMainHeight(box, aspect);
  const strip = { x: box.x, y: box.y + mainH + GAP, w: box.w, h: box.h - mainH - GAP };
  const seats = gridLayout(strip, others, 8);
  // The two parts stand together in the middle, without a hole between them.
  const hole = (seats[0]?.y ?? strip.y) - strip.y;
  const centre = { x: box.x, y: box.y + hole * 0.5, w: box.w, h: mainH };
  return { seats: seats.map((r) => ({ ...r, y: r.y - hole * 0.5 })), centre, table: undefined };
}

function tallMainHeight(box: Rect, aspect: number): number {
  return Math.min(box.w / Math.max(aspect, 1), box.h * 0.58);
}

/** How many pictures the strip beside or below the large one can hold. */
export function stripCapacity(box: Rect, aspect: number): number {
  if (isWide(box)) return box.w < 900 ? stripRows(box) : 2 * Math.max(1, Math.floor((box.h + 8) / 100));
  const h = box.h - tallMainHeight(box, aspect) - GAP;
  const columns = Math.max(2, Math.floor((box.w + 8) / 158));
  return columns * Math.max(1, Math.floor((h + 8) / 100));
}

/** Pictures in one column beside the large one. */
function stripRows(box: Rect): number {
  return Math.max(1, Math.floor((box.h + 8) / 116));
}

function isWide(box: Rect): boolean {
  return box.w >= box.h * 1.15;
}

function apart(a: Rect, b: Rect, gap: number): boolean {
  return a.x + a.w + gap <= b.x || b.x + b.w + gap <= a.x || a.y + a.h + gap <= b.y || b.y + b.h + gap <= a.y;
}

const SAMPLES = 360;

/** Points at equal distance along a super-ellipse around the middle of `box`, clockwise from the top. */
function ringPoints(box: Rect, rx: number, ry: number, count: number, startTurn: number): { x: number; y: number }[] {
  const power = 2 / 2.4;
  const at = (i: number): { x: number; y: number } => {
    const angle = ((i / SAMPLES) + startTurn) * 2 * Math.PI - Math.PI / 2;
    const c = Math.cos(angle);
    const s = Math.sin(angle);
    return {
      x: box.x + box.w / 2 + rx * Math.sign(c) * Math.abs(c) ** power,
      y: box.y + box.h / 2 + ry * Math.sign(s) * Math.abs(s) ** power,
    };
  };
  const lengths = [0];
  for (let i = 1; i <= SAMPLES; i++) {
    const a = at(i - 1);
    const b = at(i);
    lengths.push((lengths[i - 1] ?? 0) + Math.hypot(b.x - a.x, b.y - a.y));
  }
  const total = lengths[SAMPLES] ?? 0;
  return Array.from({ length: count }, (_, k) => {
    const target = (total * k) / count;
    const i = Math.max(1, lengths.findIndex((length) => length >= target));
    const before = lengths[i - 1] ?? 0;
    const part = (target - before) / Math.max(1e-9, (lengths[i] ?? total) - before);
    const [a, b] = [at(i - 1), at(i)];
    return { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part };
  });
}

/** As tall as the seats above and below the middle leave it. */
function freeMiddle(box: Rect, middle: Rect, seats: readonly Rect[]): Rect {
  const centreY = middle.y + middle.h / 2;
  const beside = seats.filter((s) => s.x < middle.x + middle.w && middle.x < s.x + s.w);
  const top = Math.max(box.y, ...beside.filter((s) => s.y + s.h <= centreY).map((s) => s.y + s.h + 4));
  const bottom = Math.min(box.y + box.h, ...beside.filter((s) => s.y >= centreY).map((s) => s.y - 4));
  return { ...middle, y: top, h: bottom - top };
}

/** People around a table; the middle is free for the class itself. Stable: seat k depends on k and count only. */
function openRing(box: Rect, count: number): Placement {
  if (count === 1) {
    // Room is left below for the words that greet who comes first.
    const room = { x: box.x + box.w * 0.14, y: box.y, w: box.w * 0.72, h: Math.max(80, box.h - ALONE_TEXT_HEIGHT) };
    return { seats: [fitInside(room, WIDE)], centre: undefined, table: undefined };
  }
  if (count === 2) return { seats: gridLayout(box, 2, GAP * 2), centre: undefined, table: undefined };
  const tableMin = { w: Math.min(box.w * 0.24, 320), h: Math.min(box.h * 0.2, 150) };
  const middle = {
    x: box.x + (box.w - tableMin.w) / 2, y: box.y + (box.h - tableMin.h) / 2, w: tableMin.w, h: tableMin.h,
  };
  for (let w = Math.min(box.w * 0.46, 640); w >= 40; w -= 4) {
    const h = w / (4 / 3);
    const points = ringPoints(box, (box.w - w) / 2, (box.h - h) / 2, count, 0);
    const seats = points.map((p) => ({ x: p.x - w / 2, y: p.y - h / 2, w, h }));
    const free = seats.every((s, i) => apart(s, middle, 4) && seats.every((t, k) => k <= i || apart(s, t, 8)));
    if (!free) continue;
    const table = {
      x: box.x + w * 0.62, y: box.y + h * 0.62, w: box.w - w * 1.24, h: box.h - h * 1.24,
    };
    return { seats, centre: freeMiddle(box, middle, seats), table };
  }
  return { seats: gridLayout(box, count), centre: undefined, table: undefined };
}

function sideSeats(box: Rect, count: number, w: number, h: number): Rect[] {
  const right = Math.ceil(count / 2);
  const column = (n: number, x: number, upward: boolean): Rect[] => {
    const step = Math.min(h + 28, n > 1 ? (box.h - h) / (n - 1) : 0);
    const top = box.y + (box.h - h - step * (n - 1)) / 2;
    const list = Array.from({ length: n }, (_, i) => ({ x, y: top + i * step, w, h }));
    return upward ? list.reverse() : list;
  };
  return [...column(right, box.x + box.w - w, false), ...column(count - right, box.x, true)];
}

function frameSeats(box: Rect, count: number, w: number, h: number): Rect[] {
  const perSide = Math.max(1, Math.floor((box.h - 2 * (h + GAP)) / (h + GAP)));
  const left = Math.min(perSide, Math.floor(count / 4));
  const across = count - 2 * left;
  const top = Math.ceil(across / 2);
  const row = (n: number, y: number, backward: boolean): Rect[] => {
    const step = n > 0 ? Math.min(w + 32, box.w / n) : 0;
    const start = box.x + (box.w - step * (n - 1) - w) / 2;
    const list = Array.from({ length: n }, (_, i) => ({ x: start + i * step, y, w, h }));
    return backward ? list.reverse() : list;
  };
  const inner = { x: box.x, y: box.y + h + GAP, w: box.w, h: box.h - 2 * (h + GAP) };
  const sides = sideSeats(inner, 2 * left, w, h);
  return [
    ...row(top, box.y, false), ...sides.slice(0, left),
    ...row(across - top, box.y + box.h - h, true), ...sides.slice(left),
  ];
}

/** One row under what is shared, both together in the middle of a stage that is not wide enough for more. */
function rowBelow(box: Rect, count: number, w: number, h: number, aspect: number): [Rect[], Rect] {
  const picture = fitInside({ x: box.x, y: box.y, w: box.w, h: box.h - h - GAP }, aspect);
  const top = box.y + (box.h - picture.h - GAP - h) / 2;
  const step = w + 16;
  const start = box.x + (box.w - step * (count - 1) - w) / 2;
  const seats = Array.from({ length: count }, (_, i) => ({ x: start + i * step, y: top + picture.h + GAP, w, h }));
  return [seats, { ...picture, y: top }];
}

/** People around what is shared: at its sides or under it while they are few, all around when they are many. */
function sharedRing(box: Rect, count: number, aspect: number): Placement {
  let best: Placement | undefined;
  let bestScore = 0;
  const least = Math.min(150, Math.max(92, box.w * 0.105 - count));
  for (let w = least; w <= Math.min(260, box.w * 0.2); w += 4) {
    const h = w * 0.7;
    const rows = Math.ceil(count / 2);
    const options: [Rect[], Rect][] = [];
    if (rows * (h + 8) - 8 <= box.h) {
      const inset = count > 1 ? 2 : 1;
      const left = count > 1 ? w + GAP : 0;
      options.push([
        sideSeats(box, count, w, h),
        { x: box.x + left, y: box.y, w: box.w - inset * (w + GAP), h: box.h },
      ]);
    }
    if (count * (w + 16) <= box.w) options.push(rowBelow(box, count, w, h, aspect));
    const around = frameSeats(box, count, w, h);
    if (around.every((s, i) => around.every((t, k) => k <= i || apart(s, t, 6)))) {
      options.push([around, {
        x: box.x + w + GAP, y: box.y + h + GAP, w: box.w - 2 * (w + GAP), h: box.h - 2 * (h + GAP),
      }]);
    }
    for (const [seats, inner] of options) {
      const picture = fitInside(inner, aspect);
      const score = picture.w * picture.h + 0.9 * count * w * h;
      if (score > bestScore) {
        bestScore = score;
        best = { seats, centre: inner, table: undefined };
      }
    }
  }
  return best ?? speakerLayout(box, count, aspect);
}

/** The round table. `shared` = shape of what lies in the middle, or 0. */
export function ringLayout(box: Rect, count: number, shared: number): Placement {
  return shared > 0 ? sharedRing(box, count, shared) : openRing(box, count);
}

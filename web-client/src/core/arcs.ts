// The audience as seen from above: concentric rows around the stage, one quiet mark per person.
// Pure geometry: the size of the band above the stage in, marks out. The stage is below.
export interface Mark { x: number; y: number }
export interface Rows {
  marks: Mark[];
  /** Radius of a mark. */
  r: number;
  /** People each mark stands for: more than one when they are too many to be drawn. */
  per: number;
  /** The rows as lines, from the one nearest to the stage. */
  lines: { x: number; y: number; w: number; sag: number }[];
}

const SPACES = [26, 24, 22, 20, 18, 16, 14, 12, 11, 10, 9, 8, 7];
const PAD = 10;

interface Row { y: number; sag: number; seats: number }

function rowsFor(w: number, h: number, space: number): Row[] {
  const sag = Math.min(h * 0.42, w * 0.09);
  const count = Math.max(1, Math.floor((h - 2 * PAD - sag) / space) + 1);
  const across = Math.max(space, w - 2 * PAD);
  return Array.from({ length: count }, (_, i) => ({
    y: h - PAD - i * space, sag, seats: Math.max(1, Math.floor(across / space)),
  }));
}

/** y of a row at x: a shallow arc, highest in the middle. */
function arcY(row: Row, w: number, x: number): number {
  const t = (x - w / 2) / (w / 2);
  return row.y - row.sag * (1 - t * t);
}

export function audienceRows(w: number, h: number, people: number): Rows {
  let space = SPACES.at(-1) ?? 7;
  for (const s of SPACES) {
    const capacity = rowsFor(w, h, s).reduce((n, row) => n + row.seats, 0);
    if (capacity >= people) {
      space = s;
      break;
    }
  }
  const rows = rowsFor(w, h, space);
  const capacity = rows.reduce((n, row) => n + row.seats, 0);
  const per = Math.max(1, Math.ceil(people / capacity));
  let left = Math.ceil(people / per);
  const used = Math.min(rows.length, Math.ceil(left / (rows[0]?.seats ?? 1)));
  const marks: Mark[] = [];
  rows.slice(0, used).forEach((row, i) => {
    const n = Math.min(row.seats, Math.ceil(left / (used - i)));
    left -= n;
    const start = w / 2 - ((n - 1) * space) / 2;
    for (let k = 0; k < n; k++) {
      const x = start + k * space;
      marks.push({ x, y: arcY(row, w, x) });
    }
  });
  const shown = rows.slice(0, Math.max(3, used));
  return { marks, r: space * 0.29, per, lines: shown.map((row) => ({ x: PAD, y: row.y, w: w - 2 * PAD, sag: row.sag })) };
}

/** All marks as one path of dots: 500 people are one element. */
export function dots(marks: readonly Mark[], lift = 0): string {
  return marks.map((m) => `M${m.x.toFixed(1)} ${(m.y - lift).toFixed(1)}h.01`).join('');
}

/** Which marks stand for the raised hands of people nobody may name: spread, and stable while the count is. */
export function spread(count: number, among: number): number[] {
  const chosen = new Set<number>();
  for (let i = 0; i < count && chosen.size < among; i++) {
    let k = (i * 37 + 11) % among;
    while (chosen.has(k)) k = (k + 1) % among;
    chosen.add(k);
  }
  return [...chosen];
}

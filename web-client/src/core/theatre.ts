// What stands on the stage of a webinar and where: the slide in the middle, people beside or below it.
import type { Person } from '../wire/messages.ts';
import { gridLayout, speakerLayout } from './layout.ts';
import type { Rect } from './layout.ts';
import { tilesOf } from './stage.ts';
import type { Placed } from './stage.ts';
import type { ClassState } from './state.ts';

export interface TheatreInput { box: Rect; pinned: string; screenAspect: number; light: boolean }

export function theatre(klass: ClassState, people: readonly Person[], input: TheatreInput): Placed[] {
  const { seats, screens } = tilesOf({ ...klass, people: [...people] });
  // A light seat carries sound and slides only: people are there by name.
  const cast = input.light ? seats.map((s) => ({ ...s, picture: s.picture && s.self })) : seats;
  const all = [...screens, ...cast];
  const main = all.find((tile) => tile.key === input.pinned) ?? screens.at(-1);
  if (!main) return place(cast, gridLayout(input.box, cast.length));
  const rest = all.filter((tile) => tile !== main);
  const aspect = main.source === 'screen' ? input.screenAspect : 16 / 9;
  const spot = speakerLayout(input.box, rest.length, aspect);
  return [...(spot.centre ? [{ tile: main, rect: spot.centre, role: 'main' as const }] : []), ...place(rest, spot.seats)];
}

function place(tiles: Placed['tile'][], rects: Rect[]): Placed[] {
  return tiles.flatMap((tile, i) => {
    const rect = rects[i];
    return rect ? [{ tile, rect, role: 'seat' as const }] : [];
  });
}

// Around the table, staff seat people by dragging one onto another (by keyboard: the panel "Conduct").
import type { Room } from '../../app/room.svelte.ts';
import { SEAT_TYPE, swapSeats } from '../../core/seats.ts';
import type { Tile } from '../../core/stage.ts';
import type { ClassState } from '../../core/state.ts';

export function seatDrag(room: Room, klass: ClassState, tile: Tile): (node: HTMLElement) => void {
  const movable = tile.source === 'cam' && klass.class.type === 'round-table' && room.may('floor.run');
  return (node) => {
    node.draggable = movable;
    if (!movable) return;
    node.ondragstart = (event) => event.dataTransfer?.setData(SEAT_TYPE, tile.person.id);
    node.ondragover = (event) => event.preventDefault();
    node.ondrop = (event) => {
      const person = event.dataTransfer?.getData(SEAT_TYPE);
      const command = person ? swapSeats(klass, person, tile.person.id) : undefined;
      if (command) void room.run(command);
    };
  };
}

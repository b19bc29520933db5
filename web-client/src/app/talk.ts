// Hold Space to talk: the microphone is open while the key is down, and only then.
import type { Room } from './room.svelte.ts';

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement
    && target.closest('input, textarea, select, button, a, [role="option"], [contenteditable="true"]') !== null;
}

export function holdToTalk(room: Room): () => void {
  const down = (event: KeyboardEvent): void => {
    if (event.code !== 'Space' || event.repeat || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (!room.offers('mic')) return; // in the audience no device is asked for
    event.preventDefault();
    if (room.local.mic.on || room.phase !== 'class') return;
    room.talking = true;
    void room.local.turnOn(['mic']).then(() => {
      if (!room.talking && room.local.mic.on) room.local.turnOff('mic');
    });
  };
  const end = (): void => {
    if (!room.talking) return;
    room.talking = false;
    if (room.local.mic.on) room.local.turnOff('mic');
  };
  const up = (event: KeyboardEvent): void => {
    if (event.code === 'Space') end();
  };
  addEventListener('keydown', down);
  addEventListener('keyup', up);
  addEventListener('blur', end);
  return () => {
    removeEventListener('keydown', down);
    removeEventListener('keyup', up);
    removeEventListener('blur', end);
  };
}

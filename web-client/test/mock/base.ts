// What a snapshot says of the features when nothing special is going on.
import type { Snapshot } from '../../src/wire/messages.ts';

type Members = Omit<Snapshot,
  't' | 'seq' | 'epoch' | 'resume' | 'class' | 'you' | 'slots' | 'people' | 'hands' | 'chat' | 'rights' | 'now'>;

export function quiet(): Members {
  return {
    clock: 0, times: {}, settings: [], locks: [], rooms: [], heard: [],
    floor: { mode: 'open', ring: [], list: [], past: [] },
  };
}

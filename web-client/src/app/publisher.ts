// What we send, told to the server; and what the server closed, closed here.
import { ownDevice } from '../core/state.ts';
import { announcer } from './announce.svelte.ts';
import { t } from './prefs.svelte.ts';
import type { Room } from './room.svelte.ts';
import { tellRefusal } from './tell.ts';

export class Publisher {
  private readonly room: Room;
  private waiting = 0;

  constructor(room: Room) {
    this.room = room;
  }

  /** The server may have closed our microphone or camera; it never opens them. */
  follow(): void {
    const { state, local } = this.room;
    const device = state ? ownDevice(state) : undefined;
    if (!device || this.waiting > 0) return;
    if (device.mic === 'off' && local.mic.on) {
      local.turnOff('mic');
      announcer.notice(t('say.mutedBy'), 'attention');
    }
    if (!device.cam && local.cam.on) local.turnOff('cam');
  }

  publish(): void {
    const { room } = this;
    if (room.phase !== 'class') return;
    room.mutedHint = false;
    this.waiting += 1;
    void room.signal.command({ t: 'media.state', ...room.local.state }).then((outcome) => {
      this.waiting = 0;
      if (!outcome.ok && outcome.error.code === 'denied' && room.local.screen) room.local.unshare();
      if (!outcome.ok) tellRefusal(outcome.error);
    });
  }
}

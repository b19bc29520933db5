// Who is heard now, and who of them the speaker layout shows large.
import { ActiveSpeaker } from '../core/speaker.ts';
import type { Device, Speaking } from '../wire/messages.ts';

export class Voices {
  list: readonly Speaking[] = $state.raw([]);
  speaker = $state('');
  private readonly active = new ActiveSpeaker();

  /** `recent`: who had the floor, as the server heard it; the first has it. */
  heard(list: readonly Speaking[], recent: readonly string[], own: string): void {
    this.list = list;
    this.speaker = this.active.follow(recent, own) || this.active.update(list, performance.now(), own);
  }

  gone(devices: readonly Device[]): void {
    for (const device of devices) this.active.gone(device.id);
    this.speaker = this.active.current;
  }
}

// Who is heard now, and who of them the speaker layout shows large.
import { ActiveSpeaker } from '../core/speaker.ts';
import type { Device, Speaking } from '../wire/messages.ts';

export class Voices {
  list: readonly Speaking[] = $state.raw([]);
  speaker = $state('');
  private readonly active = new ActiveSpeaker();

  heard(list: readonly Speaking[], own: string): void {
    this.list = list;
    this.speaker = this.active.update(list, performance.now(), own);
  }

  gone(devices: readonly Device[]): void {
    for (const device of devices) this.active.gone(device.id);
    this.speaker = this.active.current;
  }
}

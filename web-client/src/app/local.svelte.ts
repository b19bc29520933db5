// Our own microphone, camera and screen: what the person wishes, what the device allows, what is sent.
import { MutedSpeech } from '../core/speaker.ts';
import { listDevices, openInputs, openScreen, troubleOf } from '../media/capture.ts';
import type { DeviceChoice, DeviceLists, Input, Trouble } from '../media/capture.ts';
import { watchLevel } from '../media/meter.ts';
import type { SendKind } from '../media/senders.ts';
import { prefs, setPref } from './prefs.svelte.ts';

export interface LocalHooks {
  /** A send section should now carry this track, or nothing. */
  track(kind: SendKind, track: MediaStreamTrack | null): void;
  /** What others may see of us changed by ourselves or by a device. */
  changed(): void;
  mutedSpeech(): void;
}

interface Source { on: boolean; track: MediaStreamTrack | undefined; trouble: Trouble | ''; opening: boolean }
const source = (): Source => ({ on: false, track: undefined, trouble: '', opening: false });

export class LocalMedia {
  mic: Source = $state(source());
  cam: Source = $state(source());
  screen: MediaStream | undefined = $state.raw();
  screenTrouble: 'denied' | 'none' | '' = $state('');
  level = $state(0);
  devices: DeviceLists = $state.raw({ mic: [], cam: [], speaker: [] });
  private readonly hooks: LocalHooks;
  private readonly speech = new MutedSpeech();
  private stopMeter: () => void = () => undefined;

  constructor(hooks: LocalHooks) {
    this.hooks = hooks;
    navigator.mediaDevices?.addEventListener?.('devicechange', () => void this.refreshDevices());
  }

  get state(): { mic: 'on' | 'off'; cam: boolean; screen: boolean; sound: boolean } {
    return {
      mic: this.mic.on ? 'on' : 'off', cam: this.cam.on, screen: this.screen !== undefined,
      sound: (this.screen?.getAudioTracks().length ?? 0) > 0,
    };
  }

  async refreshDevices(): Promise<void> {
    this.devices = await listDevices();
  }

  /** At the door: opens what was open last time. */
  async openRemembered(): Promise<void> {
    const wanted = (['mic', 'cam'] as const).filter((input) => prefs[input]);
    if (wanted.length > 0) await this.turnOn(wanted);
    else await this.refreshDevices();
  }

  /** Turns inputs on together, so that the browser asks one question. */
  async turnOn(inputs: Input[]): Promise<void> {
    const missing = inputs.filter((input) => !this[input].track && !this[input].opening);
    for (const input of missing) Object.assign(this[input], { opening: true, trouble: '' });
    const choice: DeviceChoice = { mic: prefs.micId, cam: prefs.camId, speaker: prefs.speakerId };
    const opened = missing.length > 0 ? await openInputs(missing, choice) : {};
    for (const input of missing) {
      const result = opened[input];
      this[input].opening = false;
      if (typeof result === 'object') this.adopt(input, result);
      else this[input].trouble = result ?? 'none';
    }
    for (const input of inputs) {
      this[input].on = this[input].track !== undefined;
      this.hooks.track(input, this[input].track ?? null);
    }
    this.hooks.changed();
    await this.refreshDevices();
  }

  turnOff(input: Input): void {
    const keep = input === 'mic' && prefs.mutedSpeech;
    this[input].on = false;
    if (!keep) this.release(input);
    this.hooks.track(input, null);
    this.hooks.changed();
  }

  /** Off and let go of: where one may not be heard, nothing listens for muted speech either. */
  close(input: Input): void {
    if (this[input].on) this.turnOff(input);
    this.release(input);
  }

  /** The microphone is sent to where the server lets it be heard, and told to nobody else as open. */
  async lend(): Promise<void> {
    if (!this.mic.track) {
      const opened = await openInputs(['mic'], { mic: prefs.micId, cam: prefs.camId, speaker: prefs.speakerId });
      if (typeof opened.mic === 'object') this.adopt('mic', opened.mic);
      else this.mic.trouble = opened.mic ?? 'none';
    }
    this.hooks.track('mic', this.mic.track ?? null);
  }

  /** Ends lend: what was closed is closed again. */
  takeBack(): void {
    if (this.mic.on) return;
    if (!prefs.mutedSpeech) this.release('mic');
    this.hooks.track('mic', null);
  }

  toggle(input: Input): Promise<void> {
    setPref(input, !this[input].on);
    if (!this[input].on) return this.turnOn([input]);
    this.turnOff(input);
    return Promise.resolve();
  }

  /** Another device of the same kind, in class or at the door, without any negotiation. */
  async choose(input: Input, id: string): Promise<void> {
    setPref(input === 'mic' ? 'micId' : 'camId', id);
    const on = this[input].on;
    this.release(input);
    if (on) await this.turnOn([input]);
  }

  async share(): Promise<void> {
    this.screenTrouble = '';
    try {
      const stream = await openScreen();
      this.screen = stream;
      stream.getVideoTracks()[0]?.addEventListener('ended', () => this.unshare());
      this.hooks.track('screen', stream.getVideoTracks()[0] ?? null);
      this.hooks.track('sound', stream.getAudioTracks()[0] ?? null);
      this.hooks.changed();
    } catch (error) {
      this.screenTrouble = troubleOf(error) === 'denied' ? 'denied' : 'none';
    }
  }

  unshare(): void {
    for (const track of this.screen?.getTracks() ?? []) track.stop();
    this.screen = undefined;
    this.hooks.track('screen', null);
    this.hooks.track('sound', null);
    this.hooks.changed();
  }

  /** Puts every wished track into a new connection. */
  refill(): void {
    this.hooks.track('mic', this.mic.on ? (this.mic.track ?? null) : null);
    this.hooks.track('cam', this.cam.on ? (this.cam.track ?? null) : null);
    this.hooks.track('screen', this.screen?.getVideoTracks()[0] ?? null);
    this.hooks.track('sound', this.screen?.getAudioTracks()[0] ?? null);
  }

  stopAll(): void {
    for (const input of ['mic', 'cam'] as const) {
      this[input].on = false;
      this.release(input);
    }
    for (const track of this.screen?.getTracks() ?? []) track.stop();
    this.screen = undefined;
  }

  private adopt(input: Input, track: MediaStreamTrack): void {
    this[input].track = track;
    track.addEventListener('ended', () => this.lost(input, track));
    if (input !== 'mic') return;
    this.stopMeter();
    this.stopMeter = watchLevel(track, (level) => {
      this.level = level;
      if (prefs.mutedSpeech && this.speech.sample(level, !this.mic.on, performance.now())) this.hooks.mutedSpeech();
    });
  }

  private lost(input: Input, track: MediaStreamTrack): void {
    if (this[input].track !== track) return;
    this.turnOff(input);
    this.release(input);
    this[input].trouble = 'unplugged';
    void this.refreshDevices();
  }

  private release(input: Input): void {
    const track = this[input].track;
    this[input].track = undefined;
    track?.stop();
    if (input === 'mic') {
      this.stopMeter();
      this.level = 0;
    }
  }
}

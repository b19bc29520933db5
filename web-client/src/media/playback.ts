// The audio slots, played by hidden audio elements; and one stream per video slot for the tiles.
export class Playback {
  readonly streams: MediaStream[] = [];
  private readonly elements: HTMLAudioElement[] = [];
  private speaker = '';

  /** Takes the tracks of a (new) connection; elements are kept, so the permission to play is too. */
  attach(audio: readonly MediaStreamTrack[], video: readonly MediaStreamTrack[]): void {
    audio.forEach((track, i) => {
      let element = this.elements[i];
      if (!element) {
        element = document.createElement('audio');
        element.dataset['slot'] = String(i);
        element.autoplay = true;
        element.hidden = true;
        document.body.append(element);
        this.elements.push(element);
      }
      element.srcObject = new MediaStream([track]);
    });
    this.streams.splice(0, this.streams.length, ...video.map((track) => new MediaStream([track])));
    if (this.speaker !== '') void this.setSpeaker(this.speaker);
  }

  /** Starts the sound. False when the browser still waits for a gesture. */
  async play(): Promise<boolean> {
    const results = await Promise.allSettled(this.elements.map((element) => element.play()));
    return !results.some((r) => r.status === 'rejected' && (r.reason as Error).name === 'NotAllowedError');
  }

  async setSpeaker(id: string): Promise<void> {
    this.speaker = id;
    await Promise.allSettled(this.elements.map((e) => ('setSinkId' in e ? e.setSinkId(id) : undefined)));
  }

  /** Loudness of each slot, 0..1. */
  gains(list: readonly number[]): void {
    list.forEach((gain, i) => {
      const element = this.elements[i];
      if (element && element.volume !== gain) element.volume = gain;
    });
  }

  stop(): void {
    for (const element of this.elements.splice(0)) {
      element.srcObject = null;
      element.remove();
    }
    this.streams.splice(0);
  }
}

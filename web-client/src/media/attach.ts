// A picture element and the stream it plays. One that shows nothing for seconds while somebody looks at the
// page is given its stream again: a tab that was behind another one may come back with an element no frame
// reaches. What shows is left alone, and what stays blank is tried more and more rarely.

/** As much of a video element as it takes. */
export type Screen = Pick<HTMLVideoElement, 'srcObject' | 'readyState' | 'videoWidth' | 'play'>;

const FIRST_MS = 4000;
const MOST_MS = 32_000;
const HAVE_CURRENT_DATA = 2;

export class Attachment {
  private readonly element: Screen;
  private readonly unseen: () => boolean;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(element: Screen, unseen: () => boolean) {
    this.element = element;
    this.unseen = unseen;
  }

  to(stream: MediaStream): void {
    this.play(stream);
    this.look(stream, FIRST_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private play(stream: MediaStream): void {
    this.element.srcObject = stream;
    this.element.play().catch(() => undefined);
  }

  private look(stream: MediaStream, afterMs: number): void {
    this.stop();
    this.timer = setTimeout(() => {
      if (this.element.readyState >= HAVE_CURRENT_DATA && this.element.videoWidth > 0) return;
      const again = !this.unseen();
      if (again) {
        this.element.srcObject = null;
        this.play(stream);
      }
      this.look(stream, again ? Math.min(2 * afterMs, MOST_MS) : afterMs);
    }, afterMs);
  }
}

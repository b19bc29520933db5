// When the media connection is sick: what to try, and how long to wait for it.
// A short "disconnected" heals alone; then an ICE restart; after two without success a new connection.
export type MediaHealth = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';
export type Remedy = 'none' | 'ice' | 'epoch';

const DISCONNECTED_GRACE_MS = 3000;
const ATTEMPT_MS = 8000;
const RESTARTS_BEFORE_REBUILD = 2;

export class MediaDoctor {
  private health: MediaHealth = 'new';
  private restarts = 0;
  private nextMs = Infinity;

  /** Time in milliseconds on any steady clock. */
  state(health: MediaHealth, nowMs: number): void {
    if (health === this.health) return;
    this.health = health;
    if (health === 'connected') {
      this.restarts = 0;
      this.nextMs = Infinity;
    } else if (health === 'disconnected') {
      this.nextMs = nowMs + DISCONNECTED_GRACE_MS;
    } else if (health === 'failed') {
      this.nextMs = nowMs;
    } else if (this.nextMs === Infinity) {
      this.nextMs = nowMs + ATTEMPT_MS;
    }
  }

  /** What to do at `nowMs`; `reachable` = the signalling link works, so that an offer can get its answer. */
  remedy(nowMs: number, reachable: boolean): Remedy {
    if (!reachable || nowMs < this.nextMs) return 'none';
    this.nextMs = nowMs + ATTEMPT_MS;
    if (this.restarts >= RESTARTS_BEFORE_REBUILD) {
      this.restarts = 0;
      return 'epoch';
    }
    this.restarts += 1;
    return 'ice';
  }
}

// Messages sent and not yet acknowledged. They outlive the panel and a lost connection.
import type { Room } from '../../app/room.svelte.ts';

interface Item { key: number; text: string; failed: boolean }

class Outbox {
  waiting: Item[] = $state([]);
  private count = 0;

  async send(room: Room, text: string): Promise<void> {
    const key = ++this.count;
    this.waiting.push({ key, text, failed: false });
    await this.deliver(room, key, text);
  }

  retry(room: Room, key: number): void {
    const item = this.waiting.find((x) => x.key === key);
    if (!item) return;
    item.failed = false;
    void this.deliver(room, key, item.text);
  }

  private async deliver(room: Room, key: number, text: string): Promise<void> {
    const outcome = await room.signal.command({ t: 'chat.send', text });
    if (outcome.ok) this.waiting = this.waiting.filter((x) => x.key !== key);
    else for (const item of this.waiting) if (item.key === key) item.failed = true;
  }
}

export const outbox = new Outbox();

// What a screen reader is told, and the short notices everybody sees. Arrivals come in bunches:
// they are gathered for a moment and told in one phrase.
import { t } from './prefs.svelte.ts';

const GATHER_MS = 900;
const NOTICE_MS = 6000;

export interface Notice { id: number; text: string; tone: 'info' | 'attention' }

class Announcer {
  polite = $state('');
  assertive = $state('');
  notices: Notice[] = $state([]);
  private joined: string[] = [];
  private left: string[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private count = 0;

  say(text: string, urgent = false): void {
    if (urgent) this.assertive = text;
    else this.polite = text;
  }

  /** A short text on the stage for some seconds, also spoken. */
  notice(text: string, tone: Notice['tone'] = 'info'): void {
    const id = ++this.count;
    this.notices = [...this.notices.slice(-1), { id, text, tone }];
    this.say(text, tone === 'attention');
    setTimeout(() => this.dismiss(id), NOTICE_MS);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((n) => n.id !== id);
  }

  moved(name: string, arrived: boolean): void {
    (arrived ? this.joined : this.left).push(name);
    this.timer ??= setTimeout(() => this.tellMoves(), GATHER_MS);
  }

  private tellMoves(): void {
    this.timer = undefined;
    const phrases = [
      this.joined.length > 2
        ? t('say.joinedMany', { n: this.joined.length })
        : this.joined.map((name) => t('say.joined', { name })).join('. '),
      this.left.length > 2
        ? t('say.leftMany', { n: this.left.length })
        : this.left.map((name) => t('say.left', { name })).join('. '),
    ].filter((phrase) => phrase !== '');
    this.joined = [];
    this.left = [];
    if (phrases.length > 0) this.say(phrases.join('. '));
  }
}

export const announcer = new Announcer();

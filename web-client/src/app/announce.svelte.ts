// What a screen reader is told, and the short notices everybody sees. Arrivals come in bunches:
// they are gathered for a moment and told in one phrase.
import { t } from './prefs.svelte.ts';

const GATHER_MS = 900;
const NOTICE_MS = 6000;
const TOGETHER_MS = 60;

export interface Notice { id: number; text: string; tone: 'info' | 'attention'; about: string }

class Announcer {
  polite = $state('');
  assertive = $state('');
  notices: Notice[] = $state([]);
  private joined: string[] = [];
  private left: string[] = [];
  private calm: string[] = [];
  private urgent: string[] = [];
  private saying: ReturnType<typeof setTimeout> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private count = 0;

  /** What is said in the same moment is told together: a later text must not wipe out an earlier one. */
  say(text: string, urgent = false): void {
    (urgent ? this.urgent : this.calm).push(text);
    this.saying ??= setTimeout(() => this.tell(), TOGETHER_MS);
  }

  private tell(): void {
    this.saying = undefined;
    // A region whose text stays the same is not read again.
    const fresh = (text: string, was: string): string => (text === was ? `${text}\u00a0` : text);
    if (this.calm.length > 0) this.polite = fresh([...new Set(this.calm)].join(' '), this.polite);
    if (this.urgent.length > 0) this.assertive = fresh([...new Set(this.urgent)].join(' '), this.assertive);
    this.calm = [];
    this.urgent = [];
  }

  /** A short text on the stage for some seconds, also spoken. It takes the place of an older one about the same thing. */
  notice(text: string, tone: Notice['tone'] = 'info', about = ''): void {
    const id = ++this.count;
    if (about !== '') this.over(about);
    this.notices = [...this.notices.slice(-1), { id, text, tone, about }];
    this.say(text, tone === 'attention');
    setTimeout(() => this.dismiss(id), NOTICE_MS);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((n) => n.id !== id);
  }

  /** What a notice said is no longer so: it must not stand there for the rest of its time. */
  over(about: string): void {
    this.notices = this.notices.filter((n) => n.about !== about);
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

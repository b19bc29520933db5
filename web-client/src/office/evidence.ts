// What is known of a class for this visitor: by the link in the address, the session, or what this browser kept.
import { loadGuest } from '../app/storage.ts';
import { lang } from '../app/prefs.svelte.ts';
import { api } from './api.ts';
import type { Answer } from './api.ts';

export class Evidence {
  readonly classId: string;
  /** Where the class takes place: files have its hours. */
  zone = '';
  private readonly bearer: string | undefined;

  constructor(classId: string, signedIn: boolean) {
    this.classId = classId;
    const link = decodeURIComponent(location.hash.slice(1));
    const kept = loadGuest(classId);
    this.bearer = link !== '' ? link : signedIn || kept === '' ? undefined : kept;
  }

  get known(): boolean {
    return this.bearer !== undefined;
  }

  get<T>(what: string): Promise<Answer<T>> {
    return api<T>('GET', `/api/classes/${this.classId}/${what}`, this.options());
  }

  post<T>(what: string, body: unknown): Promise<Answer<T>> {
    return api<T>('POST', `/api/classes/${this.classId}/${what}`, { ...this.options(), body });
  }

  /** A file of the server, offered as a download; false when there is none. */
  async save(what: string, name: string): Promise<boolean> {
    const zone = encodeURIComponent(this.zone || Intl.DateTimeFormat().resolvedOptions().timeZone);
    const answer = await fetch(`/api/classes/${this.classId}/${what}&lang=${lang()}&zone=${zone}`, {
      headers: this.bearer === undefined ? {} : { authorization: `Bearer ${this.bearer}` },
      credentials: this.bearer === undefined ? 'same-origin' : 'omit',
    }).catch(() => undefined);
    if (answer?.ok !== true) return false;
    const at = URL.createObjectURL(await answer.blob());
    const a = document.createElement('a');
    a.href = at;
    a.download = name;
    a.click();
    setTimeout(() => URL.revokeObjectURL(at), 60_000);
    return true;
  }

  private options(): { bearer?: string } {
    return this.bearer === undefined ? {} : { bearer: this.bearer };
  }
}

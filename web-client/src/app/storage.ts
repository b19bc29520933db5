// What the browser remembers for a person: choices for ever, tokens per class. Storage may be forbidden.
export interface Prefs {
  name: string; mic: boolean; cam: boolean; micId: string; camId: string; speakerId: string;
  lang: 'fr' | 'en' | ''; theme: 'auto' | 'light' | 'dark'; text: 's' | 'm' | 'l' | 'xl';
  view: 'auto' | 'ring' | 'grid' | 'speaker'; mutedSpeech: boolean; sounds: boolean; saver: boolean; ease: boolean;
  /** How the camera is coded: a codec name, else what everybody can decode. */
  camCodec: 'auto' | 'vp9' | 'av1';
}
const DEFAULTS: Prefs = {
  name: '', mic: true, cam: true, micId: '', camId: '', speakerId: '', lang: '', theme: 'auto', text: 'm',
  view: 'auto', mutedSpeech: true, sounds: true, saver: false, ease: true, camCodec: 'auto',
};
const PREFS_KEY = 'amphi.prefs';

function read(store: () => Storage, key: string): string {
  try {
    return store().getItem(key) ?? '';
  } catch {
    return '';
  }
}

function write(store: () => Storage, key: string, value: string): void {
  try {
    if (value === '') store().removeItem(key);
    else store().setItem(key, value);
  } catch {
    // Private windows may refuse; the page works without memory.
  }
}

const local = (): Storage => localStorage;
const tab = (): Storage => sessionStorage;

export function loadPrefs(): Prefs {
  try {
    const kept = JSON.parse(read(local, PREFS_KEY) || '{}') as Record<string, unknown>;
    const sound = Object.entries(kept).filter(([k, v]) => typeof v === typeof DEFAULTS[k as keyof Prefs]);
    return { ...DEFAULTS, ...Object.fromEntries(sound) };
  } catch {
    return { ...DEFAULTS };
  }
}

export const savePrefs = (prefs: Prefs): void => write(local, PREFS_KEY, JSON.stringify(prefs));
/** Another window of this browser has changed the choices; returns how to stop listening. */
export function whenPrefsChange(then: () => void): () => void {
  const heard = (event: StorageEvent): void => {
    if (event.key === PREFS_KEY) then();
  };
  addEventListener('storage', heard);
  return () => removeEventListener('storage', heard);
}
export const loadGuest = (classId: string): string => read(local, `amphi.guest.${classId}`);
export const saveGuest = (classId: string, token: string): void => write(local, `amphi.guest.${classId}`, token);
/** The resume token belongs to the tab: a reload takes the same seat, another tab does not. */
export const loadResume = (classId: string): string => read(tab, `amphi.resume.${classId}`);
export const saveResume = (classId: string, token: string): void => write(tab, `amphi.resume.${classId}`, token);

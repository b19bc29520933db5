// The person's choices, kept in the browser and applied to the document.
import { pickLang, translate } from '../i18n/translate.ts';
import type { Lang, Params, TextKey } from '../i18n/translate.ts';
import { loadPrefs, savePrefs, whenPrefsChange } from './storage.ts';
import type { Prefs } from './storage.ts';

const TEXT_SCALE = { s: '14px', m: '16px', l: '19px', xl: '22px' };

export const prefs: Prefs = $state(loadPrefs());

export function setPref<K extends keyof Prefs>(key: K, value: Prefs[K]): void {
  prefs[key] = value;
  savePrefs({ ...prefs });
}

export function lang(): Lang {
  return prefs.lang === '' ? pickLang(navigator.languages) : prefs.lang;
}

/** How days and hours are written: as this browser does where it speaks the language one reads (2 PM or 14:00). */
export function region(): string {
  const read = lang();
  return navigator.languages.find((one) => one === read || one.startsWith(`${read}-`)) ?? read;
}

export function t(key: TextKey, params?: Params): string {
  return translate(lang(), key, params);
}

/** How long, as one says it: "45 secondes", "5 minutes". */
export function spanText(seconds: number): string {
  return seconds > 90 || seconds === 60
    ? t('time.minutes', { n: Math.round(seconds / 60) })
    : t('time.seconds', { n: seconds });
}

/** A day and an hour as one says it, in the time of this machine. */
export function dateTime(at: number): string {
  return new Intl.DateTimeFormat(region(), { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' }).format(at);
}

/** Keeps lang, theme and text size of the document in step with the choices, also those of other windows. */
export function applyPrefs(): void {
  $effect(() => whenPrefsChange(() => {
    const kept = loadPrefs();
    Object.assign(prefs, { lang: kept.lang, theme: kept.theme, text: kept.text, sounds: kept.sounds });
  }));
  $effect(() => {
    const root = document.documentElement;
    root.lang = lang();
    root.style.fontSize = TEXT_SCALE[prefs.text];
    if (prefs.theme === 'auto') delete root.dataset['theme'];
    else root.dataset['theme'] = prefs.theme;
  });
}

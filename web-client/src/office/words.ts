// Texts of these pages, and how moments are written.
import { lang, region } from '../app/prefs.svelte.ts';
import { officeEn } from '../i18n/en_office.ts';
import { officeFr } from '../i18n/fr_office.ts';
import { translateFrom } from '../i18n/translate.ts';
import type { Params } from '../i18n/translate.ts';

export type OfficeKey = keyof typeof officeFr;
const CATALOGUES = { fr: officeFr, en: officeEn };

export function o(key: OfficeKey, params?: Params): string {
  return translateFrom(lang(), CATALOGUES[lang()][key], params);
}

/** A sentence for a word of the server; an unknown one is told in general. */
export function sorry(error: string, retry = 0): string {
  const key = `error.${error}`;
  return key in officeFr ? o(key as OfficeKey, { n: retry }) : o('error.busy');
}

export function dayText(at: number, zone: string): string {
  return new Intl.DateTimeFormat(region(), { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: zone }).format(at);
}

export function timeText(at: number, zone = ''): string {
  return new Intl.DateTimeFormat(region(), { hour: '2-digit', minute: '2-digit', timeZone: zone || undefined }).format(at);
}

export function whenText(at: number, minutes: number, zone: string): string {
  return o('when.at', { day: dayText(at, zone), from: timeText(at, zone), to: timeText(at + minutes * 60_000, zone) });
}

/** `zone` "" or not given: that of this browser. */
export function momentText(at: number, zone = ''): string {
  return new Intl.DateTimeFormat(region(), { dateStyle: 'medium', timeStyle: 'short', timeZone: zone || undefined }).format(at);
}

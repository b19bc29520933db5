// Texts by key, with {name} parameters and counted forms. Typed: a missing key does not compile.
import { en } from './en.ts';
import { fr } from './fr.ts';
import type { Counted, Entry } from './plural.ts';

export type Lang = 'fr' | 'en';
export type TextKey = keyof typeof fr;
export type Catalogue = { [K in TextKey]: (typeof fr)[K] extends string ? string : Counted };
export type Params = Record<string, string | number>;

export const CATALOGUES: Record<Lang, Catalogue> = { fr, en };
const rules: Record<Lang, Intl.PluralRules> = { fr: new Intl.PluralRules('fr'), en: new Intl.PluralRules('en') };

/** `params.n` chooses the form of a counted text. */
export function translateFrom(lang: Lang, entry: Entry, params: Params = {}): string {
  let text: string;
  if (typeof entry === 'string') {
    text = entry;
  } else {
    const n = Number(params['n'] ?? 0);
    text = (rules[lang].select(n) === 'one' ? entry.one : entry.other).replace('#', n.toLocaleString(lang));
  }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

export function translate(lang: Lang, key: TextKey, params: Params = {}): string {
  return translateFrom(lang, CATALOGUES[lang][key], params);
}

/** First language of the browser that we speak; French otherwise. */
export function pickLang(wanted: readonly string[]): Lang {
  for (const tag of wanted) {
    const head = tag.slice(0, 2).toLowerCase();
    if (head === 'fr' || head === 'en') return head;
  }
  return 'fr';
}

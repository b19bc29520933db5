// What anybody with the address of a registration or invitation may know of its class.
import { o, whenText } from './words.ts';

export interface Told {
  id: string; title: string; type: 'standard' | 'webinar' | 'round-table'; start: number; minutes: number; permanent: number; zone: string;
  note: string; host: string | null; server: string;
}

/** "Classe · avec Claire". */
export function toldBy(told: Told): string {
  const type = o(`type.${told.type}`);
  return told.host === null ? type : `${type} · ${o('reg.with', { name: told.host })}`;
}

export function toldWhen(told: Told): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (told.start > 0) return whenText(told.start, told.minutes, zone);
  return told.permanent ? o('inv.anyTime') : o('inv.noDate');
}

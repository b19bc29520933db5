// The people of the scripted class.
import type { Device, Person } from '../../src/wire/messages.ts';

const NAMES = [
  'Claire Fontaine', 'Mamadou Diallo', 'Anne-Sophie de La Rochefoucauld-Montbel', 'Yanis Benali', 'Inès Moreau',
  'Hugo Lefèvre', 'Nguyễn Thị Minh Khai', 'Paul O’Connor', 'Élodie Garnier', 'Rachid Ouali', 'Sofia Rossi',
  'Tom', 'Marguerite Duval', 'Kwame Asante', 'Louise Petit', 'Omar Haddad', 'Jeanne Roux', 'Victor Hubert',
  'Aïcha Traoré', 'Bruno Keller',
];

export function device(id: string, cam: boolean, mic: boolean): Device {
  return { id, mic: mic ? 'on' : 'off', cam, screen: false, sound: false };
}

/** `camera` = every how many people have no camera (0: all have one, 1: none). */
export function makePeople(count: number, camera: number): Person[] {
  return Array.from({ length: count }, (_, i) => {
    const base = NAMES[i % NAMES.length] ?? '';
    const cam = camera === 0 || (camera > 1 && i % camera !== camera - 1);
    return {
      id: `p_${i}`, name: i < NAMES.length ? base : `${base} ${Math.floor(i / NAMES.length) + 1}`,
      role: i === 0 ? 'host' : i === 3 ? 'animator' : 'participant',
      joined: 1000 + i, away: false, devices: [device(`d_${i}`, cam, i % 3 === 0)],
    };
  });
}

export const CHAT_LINES: readonly [number, string][] = [
  [0, 'Bonjour à tous, nous commençons dans deux minutes.'],
  [1, 'Bonjour !'],
  [2, 'Bonjour, le support est-il déjà disponible ?'],
  [0, 'Oui, le voici : https://example.org/supports/seance-3.pdf'],
  [0, 'Pensez à lever la main pour prendre la parole, je vois l’ordre.'],
  [4, 'Merci, c’est très clair.'],
];

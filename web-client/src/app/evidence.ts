// Attendance over HTTP, asked by a page of the class: who it is says the token of this browser.
import type { OwnAnswer, SheetAnswer } from '../core/roll.ts';
import type { Room } from './room.svelte.ts';
import { loadGuest } from './storage.ts';

async function ask<T>(room: Room, method: 'GET' | 'POST', what: string, body?: unknown): Promise<T | undefined> {
  const headers: Record<string, string> = { authorization: `Bearer ${room.door?.guest ?? loadGuest(room.classId)}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    const answer = await fetch(`/api/classes/${room.classId}/attendance${what}`, {
      method, headers, credentials: 'omit', body: body === undefined ? null : JSON.stringify(body),
    });
    return answer.ok ? ((await answer.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}

export const ownRecord = (room: Room): Promise<OwnAnswer | undefined> => ask(room, 'GET', '/own');
export const liveSheet = (room: Room, again: boolean): Promise<SheetAnswer | undefined> => ask(room, 'GET', again ? '?again=1' : '');

export async function contest(room: Room, text: string): Promise<boolean> {
  return (await ask(room, 'POST', '/contest', { text })) !== undefined;
}

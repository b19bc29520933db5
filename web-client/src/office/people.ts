// The roster of a class as the server gives it, a thousand at a time.
import { api } from './api.ts';

export const ROLES = ['participant', 'speaker', 'animator', 'listener', 'interpreter'] as const;
type Role = (typeof ROLES)[number] | 'host' | 'recorder';

export interface Enrolled {
  person: string; mail: string; name: string; role: Role; team: string; place: 'in' | 'waiting'; answer: '' | 'yes' | 'no'; invited: number;
  number: string;
}

/** What a form of a person holds; a mail where one may be given. */
export type PersonDraft = Pick<Enrolled, 'name' | 'role' | 'team' | 'number'> & { mail?: string };

/** Everybody, or the word for what went wrong. */
export async function loadPeople(id: string): Promise<Enrolled[] | string> {
  const all: Enrolled[] = [];
  for (;;) {
    const answer = await api<{ people: Enrolled[]; total: number }>('GET', `/api/classes/${id}/people?from=${all.length}`);
    if (!answer.ok) return answer.error;
    all.push(...answer.data.people);
    if (answer.data.people.length === 0 || all.length >= answer.data.total) return all;
  }
}

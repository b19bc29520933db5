// Personal grants: what differs for one person from what the role, the class and the room allow.
import type { Feature, GrantMode, Person } from '../wire/messages.ts';

export const FEATURES: readonly Feature[] = ['mic', 'cam', 'screen', 'chat', 'hand'];

export function grantOf(person: Person, feature: Feature): GrantMode {
  if (person.granted?.includes(feature)) return 'granted';
  return person.denied?.includes(feature) ? 'denied' : 'role';
}

/** The features whose grant is another one now, with what it is. */
export function grantChanges(was: Person, is: { granted: readonly string[]; denied: readonly string[] }): { feature: Feature; mode: GrantMode }[] {
  const now = { ...was, granted: [...is.granted], denied: [...is.denied] };
  return FEATURES.filter((f) => grantOf(was, f) !== grantOf(now, f)).map((feature) => ({ feature, mode: grantOf(now, feature) }));
}

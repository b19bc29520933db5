// A scripted webinar: webinar=<phase>&place=<own place>&stage=3&wings=2&crowd=120&invited=1
import type { Audience, Person, Snapshot, StageMember, StagePhase, StagePlace } from '../../src/wire/messages.ts';

type Part = Pick<Snapshot, 'stage' | 'invites'>;

const number = (script: URLSearchParams, key: string, otherwise: number): number => Number(script.get(key) ?? otherwise);

/** Members of the snapshot, or nothing in other classes. `people` stand on the stage and in the wings first. */
export function webinarPart(script: URLSearchParams, people: readonly Person[]): Part {
  const phase = script.get('webinar');
  if (phase === null) return {};
  const stage = number(script, 'stage', 3);
  const wings = number(script, 'wings', 0);
  const place = (script.get('place') ?? 'audience') as StagePlace;
  const members: StageMember[] = people.slice(0, stage + wings).map((p, i) =>
    (i < stage
      ? { person: p.id, place: 'stage', guest: i === 2, ...(i === 2 ? { due: Date.now() + 150_000 } : {}) }
      : { person: p.id, place: 'wings', guest: true, check: { mic: true, cam: i % 2 === 1, sound: i % 2 === 1, ready: i % 2 === 1 } }));
  if (place !== 'audience') {
    const check = { mic: true, cam: false, sound: false, ready: false };
    members.push({ person: 'p_you', place, guest: script.get('role') !== 'host', ...(place === 'wings' ? { check } : {}) });
  }
  const air = phase === 'air' || phase === 'questions';
  return {
    stage: {
      phase: phase as StagePhase, at: Date.now() - 60_000, holding: script.get('holding') ?? '', music: script.get('music') !== null, members,
      ...(air ? { airAt: Date.now() - 754_000 } : {}), ...(phase === 'starting' ? { due: Date.now() + 60_000 } : {}),
      ...(script.get('opens') === null ? {} : { opens: Date.now() + number(script, 'opens', 300) * 1000 }),
      ...(script.get('role') === 'host' ? { level: number(script, 'level', 0) } : {}),
    },
    invites: script.get('invited') === null ? [] : [{ person: script.get('invited') ?? '', due: Date.now() + 25_000 }],
  };
}

/** What the page hears of the audience once it is inside. */
export function pulseOf(script: URLSearchParams): Audience | undefined {
  if (script.get('webinar') === null) return undefined;
  const count = number(script, 'crowd', 120);
  return {
    t: 'audience', count, hands: number(script, 'hands', 0), rank: 0,
    reactions: script.get('react') === null ? [] : [['clap', 14], ['heart', 6], ['wow', 2]],
    ...(script.get('role') === 'host' ? { seats: { taken: count, most: 350, light: 4, lightMost: 20, waiting: 0 } } : {}),
  };
}

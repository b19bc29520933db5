// What a check before the day found, and how good it is.
export type PathKind = 'udp' | 'tcp' | 'relay' | 'none';
export interface Figures {
  mic: boolean; cam: boolean; speaker: boolean; path: PathKind; rttMs: number; upKbps: number; downKbps: number; browser: string; name: string;
}
/** 2 ready, 1 weak: it will work with less, 0 not ready. */
export type Verdict = 0 | 1 | 2;

const WEAK_UP = 250;
const WEAK_DOWN = 1000;
const WEAK_RTT = 300;

export function verdictOf(f: Figures): Verdict {
  if (f.path === 'none' || !f.mic || !f.speaker) return 0;
  const weak = f.path !== 'udp' || !f.cam || f.upKbps < WEAK_UP || f.downKbps < WEAK_DOWN || f.rttMs > WEAK_RTT;
  return weak ? 1 : 2;
}

interface Entry { type?: string; nominated?: boolean; state?: string; localCandidateId?: string; currentRoundTripTime?: number }
interface Candidate { candidateType?: string; protocol?: string; relayProtocol?: string }

/** The pair media goes by: how, and how far. */
export function pathOf(report: ReadonlyMap<string, unknown>): { path: PathKind; rttMs: number } {
  for (const value of report.values()) {
    const pair = value as Entry;
    if (pair.type !== 'candidate-pair' || pair.nominated !== true || pair.state !== 'succeeded') continue;
    const local = report.get(pair.localCandidateId ?? '') as Candidate | undefined;
    const path = local?.candidateType === 'relay' ? 'relay' : local?.protocol === 'tcp' ? 'tcp' : 'udp';
    return { path, rttMs: Math.round((pair.currentRoundTripTime ?? 0) * 1000) };
  }
  return { path: 'none', rttMs: 0 };
}

/** "Firefox 140" or "Chrome 139", short enough for a board. */
export function browserOf(agent: string): string {
  const found = /(Edg|OPR|Firefox|Chrome|Version)\/(\d+)/g;
  const all = [...agent.matchAll(found)].map((m) => [m[1] ?? '', m[2] ?? ''] as const);
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari' };
  const first = all.find(([n]) => n === 'Edg' || n === 'OPR') ?? all.find(([n]) => n === 'Firefox') ?? all.find(([n]) => n === 'Chrome') ?? all[0];
  return first ? `${names[first[0]] ?? first[0]} ${first[1]}` : '?';
}

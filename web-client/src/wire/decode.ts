// A text frame becomes a message, or nothing. The server is trusted for meaning, not for shape:
// a frame of an unknown or broken shape is dropped here and never reaches the state.
import type { ServerMessage } from './messages.ts';

type Row = Record<string, unknown>;

const isNumber = (v: unknown): boolean => typeof v === 'number' && Number.isFinite(v);
const isText = (v: unknown): boolean => typeof v === 'string';
const isRow = (v: unknown): v is Row => typeof v === 'object' && v !== null && !Array.isArray(v);

const shapes: Record<ServerMessage['t'], (m: Row) => boolean> = {
  door: (m) => isRow(m['class']) && isRow(m['you']) && isText(m['guest']) && isNumber(m['epoch']),
  snapshot: (m) =>
    isNumber(m['seq']) && isNumber(m['epoch']) && isText(m['resume']) && isRow(m['class']) && isRow(m['you']) &&
    isRow(m['slots']) && isNumber(m['now']) && ['people', 'hands', 'chat', 'rights'].every((k) => Array.isArray(m[k])),
  delta: (m) => isNumber(m['seq']) && isNumber(m['prev']) && Array.isArray(m['events']) && m['events'].every(isRow),
  error: (m) => isText(m['code']),
  resumed: (m) => isNumber(m['epoch']) && isText(m['resume']) && isNumber(m['seq']),
  ack: (m) => isText(m['id']),
  epoch: (m) => isNumber(m['epoch']),
  busy: () => true,
  pong: (m) => isNumber(m['epoch']),
  relays: (m) => m['ice'] === undefined || (isRow(m['ice']) && Array.isArray(m['ice']['urls'])),
  'media.answer': (m) => isText(m['id']) && isRow(m['answer']) && Array.isArray(m['answer']['c']),
  slots: (m) => Array.isArray(m['audio']) && Array.isArray(m['video']) && m['video'].every(Array.isArray),
  send: (m) => isNumber(m['cam']) && isNumber(m['screen']),
  waiting: (m) => isText(m['reason']) && isNumber(m['rank']),
  asked: (m) => isText(m['feature']),
  rights: (m) => Array.isArray(m['rights']),
  'workshop.report': (m) => isText(m['id']) && Array.isArray(m['rooms']),
  tables: (m) => Array.isArray(m['rooms']) && m['rooms'].every(isRow),
  load: (m) => isNumber(m['step']),
  audience: (m) => Array.isArray(m['reactions']),
  speaking: (m) => Array.isArray(m['list']) && m['list'].every(Array.isArray) && Array.isArray(m['recent']),
};

export function decodeMessage(frame: string): ServerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return undefined;
  }
  if (!isRow(value) || typeof value['t'] !== 'string' || !Object.hasOwn(shapes, value['t'])) return undefined;
  const shape = shapes[value['t'] as ServerMessage['t']];
  return shape(value) ? (value as unknown as ServerMessage) : undefined;
}

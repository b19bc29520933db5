// English: conduct of a class, waiting room, round table.
import type { classFr } from './fr_class.ts';
import type { Filled } from './plural.ts';

export const classEn: Filled<typeof classFr> = {
  'top.staffBar': 'Running the class',
  'door.role.speaker': 'You enter as speaker',
  'door.role.listener': 'You enter as listener',
  'door.role.interpreter': 'You enter as interpreter',
  'door.role.recorder': 'You enter to record',
  'top.state.scheduled': 'Planned',
  'top.state.preparing': 'Being prepared',
  'top.state.doors': 'Doors open',
  'top.state.closing': 'Ending',
  'top.state.archived': 'Archived',
  'people.role.speaker': 'Speaker',
  'people.role.listener': 'Listener',
  'people.role.interpreter': 'Interpreter',
  'people.role.recorder': 'Recorder',
  'say.role.speaker': 'You are now a speaker.',
  'say.role.listener': 'You are now a listener.',
  'say.role.interpreter': 'You are now an interpreter.',
  'say.role.recorder': 'You record the class.',
};

// What a busy server sheds, in the words staff is told it with. Sound is in no step.
/** By the step of the message `load`; nothing is told of step 0. */
const WORDS = ['', 'fewer', 'slower', 'still', 'shut'] as const;
export type ServerBusy = (typeof WORDS)[number];

export const serverBusy = (step: number): ServerBusy => WORDS[step] ?? '';

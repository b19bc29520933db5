import type { IconName } from '../../ui/icons.ts';
import type { Reaction } from '../../wire/messages.ts';

export const REACTION_ICONS: Record<Reaction, IconName> = {
  clap: 'party-popper', heart: 'heart', laugh: 'face-grinning', wow: 'sparkles', thumb: 'thumbs-up',
};
export const REACTIONS = ['clap', 'heart', 'laugh', 'wow', 'thumb'] as const;

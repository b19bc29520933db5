// English: the webinar.
import type { webinarFr } from './fr_webinar.ts';
import type { Filled } from './plural.ts';

export const webinarEn: Filled<typeof webinarFr> = {};

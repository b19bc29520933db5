// English: workshops.
import type { workshopsFr } from './fr_workshops.ts';
import type { Filled } from './plural.ts';

export const workshopsEn: Filled<typeof workshopsFr> = {};

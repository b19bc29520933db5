// French: the webinar.
export const webinarFr = {} as const;

// French: workshops.
export const workshopsFr = {} as const;

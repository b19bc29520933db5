// A counted phrase: forms by plural category, `#` stands for the number.
export interface Counted { one: string; other: string }
export type Entry = string | Counted;

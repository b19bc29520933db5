// A counted phrase: forms by plural category, `#` stands for the number.
export interface Counted { one: string; other: string }
export type Entry = string | Counted;

/** The same keys in another language. */
export type Filled<T> = { [K in keyof T]: T[K] extends string ? string : Counted };

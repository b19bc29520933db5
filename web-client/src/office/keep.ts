// How long each kind of data is kept, as the server says it.
export interface KeepRow {
  what: 'words' | 'roster' | 'people' | 'mails' | 'audit'; days: number; usual: number; least: number; most: number; own: boolean; of_class: boolean;
  gone?: number;
}
